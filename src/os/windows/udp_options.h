#pragma once

#include "base/logger.h"
#include "base/result.h"
#include "os/udp_socket.h"
#include "os/windows/system_headers.h"

namespace qdt::os {

/// Makes a UDP socket good for QUIC; what an old Windows lacks only costs speed. Returns whether
/// ECN marks can be sent.
bool apply_udp_options(SOCKET socket, int family, const UdpSocket::Options& options);

/// Binds it to `options.local`.
Result<void> bind_udp(SOCKET socket, int family, const UdpSocket::Options& options);

/// Whether Windows cuts what is sent (UDP_SEND_MSG_SIZE, Windows 10 2004); a log line if not.
bool can_cut(SOCKET socket, Logger& logger);
/// Has Windows join what arrives (UDP_RECV_MAX_COALESCED_SIZE, Windows 10 2004), and tells whether
/// it will; a log line if not.
bool join_arrivals(SOCKET socket, Logger& logger);

/// Packets to `remote` from now on take the way that does not lead through the tunnel. Without
/// one, as without any network, nothing changes.
void stay_outside(SOCKET socket, const SocketAddress& remote);

}  // namespace qdt::os
