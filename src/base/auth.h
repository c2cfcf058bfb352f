#pragma once

namespace qdt {

/// Which versions of the protocol a side speaks, and so by what a client shows who it is
/// (docs/protocol.md section 11).
enum class Auth {
  kAuto,   ///< version 2; version 1 where the other side has no other, and may see the token
  kProof,  ///< version 2 alone: by a proof of a key
  kToken,  ///< version 1 alone: the token is sent
};

}  // namespace qdt
