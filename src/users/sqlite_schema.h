#pragma once

#include <array>

namespace qdt::users {

// The steps from one schema to the next, the first from nothing. In the SQL that PostgreSQL knows
// as well: no type or clause of SQLite's own. Ids are random, 63 bits; flags are 0 and 1; keys,
// digests and sealed secrets are base64; times are seconds since the Unix epoch.
inline constexpr std::array kSchemaSteps = {
    R"(
CREATE TABLE store (
  id INTEGER PRIMARY KEY CHECK (id = 1), schema_version INTEGER NOT NULL, revision BIGINT NOT NULL);
INSERT INTO store VALUES (1, 0, 0);
CREATE TABLE groups (
  name TEXT PRIMARY KEY,
  up BIGINT, down BIGINT, quota_bytes BIGINT, quota_reset_day INTEGER, quota_then BIGINT,
  max_devices BIGINT, max_sessions BIGINT, allowed TEXT NOT NULL);
CREATE TABLE users (
  id BIGINT PRIMARY KEY, name TEXT NOT NULL UNIQUE, is_enabled INTEGER NOT NULL, expires BIGINT,
  group_name TEXT NOT NULL, created BIGINT NOT NULL,
  up BIGINT, down BIGINT, quota_bytes BIGINT, quota_reset_day INTEGER, quota_then BIGINT,
  max_devices BIGINT, max_sessions BIGINT, allowed TEXT NOT NULL);
CREATE TABLE devices (
  id BIGINT PRIMARY KEY, user_id BIGINT NOT NULL, name TEXT NOT NULL, created BIGINT NOT NULL,
  public_key TEXT UNIQUE, sealed_psk TEXT, token_digest TEXT UNIQUE, sealed_token TEXT,
  login_name TEXT, login_digest TEXT, address TEXT, address6 TEXT,
  UNIQUE (user_id, name), UNIQUE (login_name, login_digest));
)",
    R"(
CREATE TABLE usage (
  user_id BIGINT NOT NULL, device_id BIGINT NOT NULL, period INTEGER NOT NULL, node TEXT NOT NULL,
  epoch BIGINT NOT NULL, up BIGINT NOT NULL, down BIGINT NOT NULL,
  PRIMARY KEY (period, user_id, device_id, node, epoch));
CREATE TABLE deeds (
  number BIGINT PRIMARY KEY, at BIGINT NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL);
)",
    R"(
CREATE TABLE tickets (
  id BIGINT PRIMARY KEY, user_id BIGINT NOT NULL, public_key TEXT NOT NULL UNIQUE,
  created BIGINT NOT NULL, expires BIGINT NOT NULL, device_id BIGINT NOT NULL);
)",
    R"(
CREATE TABLE usage_days (
  user_id BIGINT NOT NULL, day INTEGER NOT NULL, node TEXT NOT NULL, epoch BIGINT NOT NULL,
  bytes BIGINT NOT NULL,
  PRIMARY KEY (user_id, day, node, epoch));
CREATE TABLE sightings (device_id BIGINT PRIMARY KEY, at BIGINT NOT NULL);
)"};

}  // namespace qdt::users
