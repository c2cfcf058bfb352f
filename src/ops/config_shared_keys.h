#pragma once

// For config_keys.cc alone: the keys that both programs have, some with different words.

#include "ops/config_address.h"
#include "ops/config_keys.h"
#include "wire/handshake.h"

namespace qdt::ops {

inline constexpr std::size_t kMaxMtu = 65535;
// The ring of fragments is allocated in one piece for each session that receives any.
inline constexpr std::size_t kMinReassemblyBytes = 2048;
inline constexpr std::size_t kMaxReassemblyBytes = 64 << 20;

inline Reader<LogLevel> log_level() {
  return one_of<LogLevel>({{"debug", LogLevel::kDebug},
                           {"info", LogLevel::kInfo},
                           {"warn", LogLevel::kWarning},
                           {"warning", LogLevel::kWarning},
                           {"error", LogLevel::kError}},
                          "debug, info, warn or error");
}

template <typename Config>
Key<Config> token_key(const std::string& explanation) {
  return make_key<Config>({.name = "token",
                           .example = "REPLACE-ME",
                           .explanation = explanation,
                           .is_required = true,
                           .is_secret = true},
                          token(), &Config::token);
}

inline Reader<std::optional<std::size_t>> mtu() {
  const Reader<std::size_t> number = whole_number(wire::kMinMtu, kMaxMtu);
  return {"auto or " + number.expected,
          [read = number.read](const YamlNode& node) -> Reading<std::optional<std::size_t>> {
            if (node.kind == YamlNode::Kind::kScalar && node.text == "auto") return std::nullopt;
            const auto value = read(node);
            if (!value) return std::unexpected(value.error());
            return *value;
          }};
}

template <typename Config>
Key<Config> mtu_key() {
  return make_key<Config>(
      {.name = "mtu",
       .example = "auto",
       .explanation = "Largest packet inside the tunnel, in bytes. auto: what the path carries, as "
                      "it is found out and watched in each session. A number is a cap; the smaller "
                      "of the server's and the client's counts."},
      mtu(), &Config::mtu);
}

template <typename Config>
Key<Config> tun_name_key() {
  return make_key<Config>(
      {.name = "tun_name", .example = "qdt0", .explanation = "Name of the TUN device."},
      interface_name(), &Config::tun_name);
}

template <typename Config>
Key<Config> tun_offloads_key() {
  return make_key<Config>({.name = "tun_offloads",
                           .example = "true",
                           .explanation = "Lets the kernel pass up to 64 KiB of one TCP or UDP "
                                          "flow through the TUN device at once. Switch it off to "
                                          "see each packet as it is in a capture there."},
                          flag(), &Config::tun_offloads);
}

template <typename Config>
Key<Config> reassembly_key() {
  return make_key<Config>(
      {.name = "max_reassembly_bytes",
       .example = "262144",
       .explanation = "Memory for packets that come in fragments, in bytes per session; at least "
                      "mtu. The oldest incomplete packet gives way when it is full."},
      whole_number(kMinReassemblyBytes, kMaxReassemblyBytes), &Config::max_reassembly_bytes);
}

template <typename Config>
Key<Config> congestion_key() {
  return make_key<Config>(
      {.name = "congestion",
       .example = "bbr",
       .explanation = "Congestion control of what this side sends. bbr keeps queues short, and its "
                      "rate where packets are lost at random; cubic and reno take every loss for "
                      "congestion and fill the buffers on the way."},
      one_of<CongestionControl>({{"bbr", CongestionControl::kBbr},
                                 {"cubic", CongestionControl::kCubic},
                                 {"reno", CongestionControl::kReno}},
                                "bbr, cubic or reno"),
      &Config::congestion);
}

template <typename Config>
Key<Config> aead_key() {
  using wire::AeadPreference;
  return make_key<Config>(
      {.name = "aead",
       .example = "auto",
       .explanation =
           "Cipher inside the tunnel. auto: aes-256-gcm where the processor has "
           "instructions for it; chacha20-poly1305 wherever one side does not offer it."},
      one_of<AeadPreference>({{"auto", AeadPreference::kAuto},
                              {"chacha20-poly1305", AeadPreference::kChaCha20Poly1305},
                              {"aes-256-gcm", AeadPreference::kAes256Gcm}},
                             "auto, chacha20-poly1305 or aes-256-gcm"),
      &Config::aead);
}

template <typename Config>
Key<Config> data_plane_key() {
  return make_key<Config>(
      {.name = "data_plane",
       .example = "auto",
       .explanation = "How packets travel. direct: in a form of their own beside the QUIC "
                      "connection, the fastest; quic: in its DATAGRAM frames; auto: directly "
                      "where the peer can and such packets get through, else in frames."},
      one_of<DataPlane>(
          {{"auto", DataPlane::kAuto}, {"quic", DataPlane::kQuic}, {"direct", DataPlane::kDirect}},
          "auto, quic or direct"),
      &Config::data_plane);
}

template <typename Config>
Key<Config> shaping_key() {
  return make_key<Config>(
      {.name = "shaping",
       .example = "auto",
       .explanation = "Keeps queues on the path short by holding back direct packets when, and "
                      "as long as, that helps; off: never."},
      one_of<bool>({{"auto", true}, {"off", false}}, "auto or off"), &Config::has_shaping);
}

template <typename Config>
Key<Config> udp_gso_key() {
  return make_key<Config>(
      {.name = "udp_gso",
       .example = "true",
       .explanation = "Hands bursts of UDP payloads to the kernel to be cut (UDP_SEGMENT); it "
                      "switches itself off where the kernel refuses."},
      flag(), &Config::udp_gso);
}

template <typename Config>
Key<Config> udp_gro_key() {
  return make_key<Config>(
      {.name = "udp_gro",
       .example = "true",
       .explanation = "Takes bursts of UDP payloads that the kernel has joined (UDP_GRO); it "
                      "switches itself off where the kernel refuses."},
      flag(), &Config::udp_gro);
}

template <typename Config>
Key<Config> user_key() {
  return make_key<Config>(
      {.name = "user",
       .example = "qdt",
       .explanation =
           "The user that the program runs as once it is set up, when root has started it "
           "(Linux). Where there is no user qdt, an ID that no user has. root: it keeps "
           "root's files."},
      user_name(), &Config::user);
}

template <typename Config>
Key<Config> log_level_key() {
  return make_key<Config>(
      {.name = "log_level", .example = "info", .explanation = "The least serious messages shown."},
      log_level(), &Config::log_level);
}

template <typename Config>
Key<Config> log_json_key() {
  return make_key<Config>({.name = "log_json",
                           .example = "false",
                           .explanation = "Log lines as JSON objects instead of text."},
                          flag(), &Config::log_json);
}

}  // namespace qdt::ops
