#pragma once

namespace qdt::apps {

/// Which build this is, as in "0.1.0+12.g1234567": number and commit, by scripts/version.sh when it
/// was built.
extern const char* const kVersion;

}  // namespace qdt::apps
