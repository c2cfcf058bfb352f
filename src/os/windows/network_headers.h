#pragma once

// Windows' headers for networks, which want those of system_headers.h before them. They make a
// macro of the word "interface".

#include "os/windows/system_headers.h"

// clang-format off
#include <iphlpapi.h>
#include <netioapi.h>
#include <rpc.h>
#include <fwpmu.h>
#include <userenv.h>
#include <windns.h>
// clang-format on
