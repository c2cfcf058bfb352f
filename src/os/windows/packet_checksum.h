#pragma once

#include "base/bytes.h"
#include "base/super_packet.h"

namespace qdt::os {

/// Does what Offload::needs_checksum leaves to the device: the field that checksum_start and
/// checksum_offset point to, which holds the pseudo-header's sum, becomes the checksum of all that
/// follows. The field is inside of `packet`.
void finish_checksum(MutableBytes packet, const Offload& offload);

}  // namespace qdt::os
