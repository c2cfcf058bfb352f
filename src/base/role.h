#pragma once

namespace qdt {

/// The end of a tunnel that this program is.
enum class Role { kClient, kServer };

}  // namespace qdt
