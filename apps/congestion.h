#pragma once

#include "ops/config.h"
#include "quic/connection.h"

namespace qdt::apps {

/// The configuration's word for the engine's congestion control.
inline quic::CongestionControl to_quic(ops::Congestion congestion) {
  switch (congestion) {
    case ops::Congestion::kBbr: return quic::CongestionControl::kBbr;
    case ops::Congestion::kCubic: return quic::CongestionControl::kCubic;
    case ops::Congestion::kReno: return quic::CongestionControl::kReno;
  }
  return quic::CongestionControl::kBbr;
}

}  // namespace qdt::apps
