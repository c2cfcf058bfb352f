#pragma once

#include "access/admission.h"

namespace qdt::server {

/// A server's admission: of all its shards.
using access::Admission;

}  // namespace qdt::server
