#pragma once

#include "access/admission.h"

namespace qdt::server {

/// What programs outside of this tree know admission by, such as one that times it.
using access::Admission;

}  // namespace qdt::server
