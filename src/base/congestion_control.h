#pragma once

namespace qdt {

/// The congestion control of a connection; as in the engine.
enum class CongestionControl { kBbr, kCubic, kReno };

}  // namespace qdt
