#pragma once

#include "ops/config.h"
#include "ops/config_value.h"

namespace qdt::ops {

/// The value of `decoy`: a word, or a map with one site in it and perhaps a `server`.
Reader<DecoyConfig> decoy();

}  // namespace qdt::ops
