# Faults of memory are harder to use in a hardened build. tests/rules/hardened_programs.sh looks at the
# programs that came of it; a build with QDT_HARDENING=OFF beside it shows what it costs.

option(QDT_HARDENING "build hardened; OFF shows what that costs" ON)
if(NOT QDT_HARDENING)
  return()
endif()

# The standard library checks indices and the bounds of spans, in every build: a fault ends the process,
# in place of reading what lies behind. Sanitizers see memory, not the end of a span within it.
target_compile_definitions(qdt_options INTERFACE _GLIBCXX_ASSERTIONS)

# Sanitizers see more, and do not go together with some of it.
if(QDT_SANITIZE OR QDT_FUZZ)
  return()
endif()

target_compile_options(qdt_options INTERFACE -fstack-protector-strong)
if(WIN32)
  target_link_options(qdt_options INTERFACE -fstack-protector-strong
    LINKER:--dynamicbase,--nxcompat,--high-entropy-va)
  return()
endif()

target_compile_options(qdt_options INTERFACE -fPIE -fstack-clash-protection)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  target_compile_options(qdt_options INTERFACE -fcf-protection=full)
endif()
if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  # Some compilers come with another value of it. It needs the optimiser, which tests do without.
  target_compile_options(qdt_options INTERFACE
    $<$<NOT:$<BOOL:$<TARGET_PROPERTY:QDT_IS_TEST>>>:-U_FORTIFY_SOURCE$<SEMICOLON>-D_FORTIFY_SOURCE=3>)
endif()
target_link_options(qdt_options INTERFACE -pie LINKER:-z,relro,-z,now,-z,noexecstack)
