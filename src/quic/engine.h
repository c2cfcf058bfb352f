#pragma once

// The parts of the engine (ngtcp2) that this folder's sources share. Included by no header.

#include <nghttp3/nghttp3.h>
#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include <cstdint>

#include "base/time.h"
#include "quic/connection.h"
#include "quic/connection_id.h"
#include "quic/memory_account.h"

namespace qdt::quic {

inline std::uint64_t to_engine(Timestamp time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

inline Timestamp timestamp_from_engine(std::uint64_t time) {
  return time == UINT64_MAX ? kNever : Timestamp(Duration(static_cast<std::int64_t>(time)));
}

inline ngtcp2_cid to_engine(const ConnectionId& id) {
  ngtcp2_cid cid;
  ngtcp2_cid_init(&cid, id.bytes().data(), id.bytes().size());
  return cid;
}

inline ConnectionId from_engine(const ngtcp2_cid& id) {
  return ConnectionId({id.data, id.datalen});
}

/// By which the TLS glue finds the engine from a TLS session.
struct Connection::ConnectionReference {
  ngtcp2_crypto_conn_ref reference;
};

/// The account in the form in which both libraries ask for memory.
struct Connection::Memory {
  explicit Memory(std::size_t* shared = nullptr, std::size_t limit = SIZE_MAX)
      : account(shared, limit) {}

  MemoryAccount account;
  ngtcp2_mem engine{&account, allocate, release, allocate_zeroed, reallocate};
  nghttp3_mem http{&account, allocate, release, allocate_zeroed, reallocate};

 private:
  static MemoryAccount& self(void* user) { return *static_cast<MemoryAccount*>(user); }
  static void* allocate(std::size_t bytes, void* user) { return self(user).allocate(bytes); }
  static void release(void* block, void* user) { self(user).release(block); }
  static void* allocate_zeroed(std::size_t count, std::size_t bytes, void* user) {
    return self(user).allocate_zeroed(count, bytes);
  }
  static void* reallocate(void* block, std::size_t bytes, void* user) {
    return self(user).reallocate(block, bytes);
  }
};

/// How a Connection sets its engine up: the callbacks (their `user` is the Connection), settings
/// and transport parameters.
struct Connection::Engine {
  static ngtcp2_callbacks callbacks();
  static ngtcp2_settings settings(Connection& connection, const UdpPath& path, Timestamp now);
  static ngtcp2_transport_params transport_params(const ConnectionOptions& options, Role role);
  static ngtcp2_conn* get_conn(ngtcp2_crypto_conn_ref* reference);

 private:
  struct Callbacks;
};

}  // namespace qdt::quic
