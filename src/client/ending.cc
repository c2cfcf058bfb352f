#include "client/ending.h"

namespace qdt::client {

std::string explain_silence(const SocketAddress& server) {
  return "no answer from " + server.to_string() +
         ": is the server running, and is this UDP port open in every firewall on the way?";
}

std::string explain_narrow_path(const SocketAddress& server, bool is_refused_here) {
  const std::string bytes = server.address.is_v4() ? "1228" : "1248";
  return "the path to " + server.to_string() +
         " is too narrow for QUIC: small packets arrive, but " +
         (is_refused_here ? "this host's own network device refuses those" : "none") + " of " +
         bytes + " bytes, its least over IPv" + (server.address.is_v4() ? "4" : "6") +
         "; raise the MTU of " +
         (is_refused_here ? "that device" : "the tunnel, DSL or mobile link on the way") +
         " to at least " + bytes;
}

}  // namespace qdt::client
