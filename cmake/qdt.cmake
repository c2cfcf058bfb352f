# Compiler settings, and the two functions with which every folder is declared.

# ccache, where it is installed. Precompiled headers need the sloppiness; the compiler's own list of
# dependencies spares a second run of the preprocessor when nothing is cached yet. Paths count from the
# build folder, so that a second clone elsewhere finds what the first has compiled.
if(NOT CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(QDT_CCACHE ccache)
  if(QDT_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros
        CCACHE_DEPEND=1 CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${QDT_CCACHE})
  endif()
endif()

add_library(qdt_options INTERFACE)
target_include_directories(qdt_options INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_options(qdt_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-align
  -Woverloaded-virtual -Wimplicit-fallthrough
  # Designated initializers name what differs from the default.
  -Wno-missing-field-initializers -fno-omit-frame-pointer)
# A backtrace, a profile and a sanitizer's report need lines, not variables: those cost a third of the
# compile time.
target_compile_options(qdt_options INTERFACE -g1)
if((QDT_SANITIZE OR CMAKE_CROSSCOMPILING) AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # In what it has instrumented itself, and in precompiled headers, GCC 12 sees faults of the standard library that are none (its
  # bugs 105562, 105329). The release build keeps these warnings.
  target_compile_options(qdt_options INTERFACE
    -Wno-maybe-uninitialized -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Debug")
  target_compile_options(qdt_options INTERFACE -O1)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 sees overlapping copies in every `"literal" + std::string` (its bug 105651).
  target_compile_options(qdt_options INTERFACE -Wno-restrict)
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # clang takes libstdc++ 12's own use of std::get_temporary_buffer, in std::stable_sort, for ours.
  target_compile_options(qdt_options INTERFACE -Wno-deprecated-declarations)
endif()
if(QDT_WERROR)
  target_compile_options(qdt_options INTERFACE -Werror)
endif()
if(QDT_SANITIZE)
  target_compile_options(qdt_options INTERFACE -fsanitize=${QDT_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(qdt_options INTERFACE -fsanitize=${QDT_SANITIZE})
endif()
if(QDT_FUZZ)
  target_compile_options(qdt_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

include(cmake/hardening.cmake)

# The standard library, compiled once: half of a product file's compile time. Not in the release build,
# which shows that each file includes what it needs.
if(QDT_SANITIZE OR CMAKE_CROSSCOMPILING)
  add_library(qdt_standard_headers OBJECT cmake/test_headers.cc)
  target_link_libraries(qdt_standard_headers PRIVATE qdt_options)
  target_precompile_headers(qdt_standard_headers PRIVATE <algorithm> <array> <charconv> <chrono> <deque> <expected>
    <fstream> <functional> <map> <memory> <mutex> <optional> <random> <set> <span> <sstream> <string>
    <thread> <unordered_map> <utility> <variant> <vector>)
endif()
function(qdt_use_standard_headers name)
  if(TARGET qdt_standard_headers)
    target_precompile_headers(${name} REUSE_FROM qdt_standard_headers)
  endif()
endfunction()

function(qdt_test_options name)
  # The code under test is optimised as for users. The tests themselves are not: they run for moments,
  # and compile in two thirds of the time. MinGW's standard library cannot be linked to a test that
  # compares types and is not optimised (GCC's bug 110572).
  target_compile_options(${name} PRIVATE $<IF:$<BOOL:${WIN32}>,-O1,-O0>)
  # For those alone that read files of the source: the others compile alike wherever the source is.
  get_target_property(sources ${name} SOURCES)
  foreach(source IN LISTS sources)
    get_filename_component(source ${source} ABSOLUTE)
    file(STRINGS ${source} uses REGEX QDT_SOURCE_DIR LIMIT_COUNT 1)
    if(uses)
      set_source_files_properties(${source} PROPERTIES
        COMPILE_DEFINITIONS "QDT_SOURCE_DIR=\"${PROJECT_SOURCE_DIR}\"")
    endif()
  endforeach()
  set_target_properties(${name} PROPERTIES QDT_IS_TEST ON)
endfunction()
if(QDT_TESTS)
  find_package(GTest REQUIRED)
  # The headers that every test begins with, compiled once.
  add_library(qdt_test_headers OBJECT cmake/test_headers.cc)
  target_link_libraries(qdt_test_headers PRIVATE qdt_options GTest::gmock GTest::gtest_main)
  target_precompile_headers(qdt_test_headers PRIVATE <gmock/gmock.h> <gtest/gtest.h>)
  qdt_test_options(qdt_test_headers)
endif()

# qdt_test(NAME SOURCES... LIBRARIES...): one GoogleTest program, and a test of ctest's that runs all of it.
# A process for each TEST would cost more than most of them do. NO_ENTRY: the caller adds the tests.
# THREADED: it has threads, or what it tests has; ThreadSanitizer has nothing to say about the others.
function(qdt_test name)
  cmake_parse_arguments(ARG "NO_ENTRY;THREADED" "" "SOURCES;LIBRARIES" ${ARGN})
  if(QDT_SANITIZE STREQUAL "thread" AND NOT ARG_THREADED)
    return()
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE qdt_options ${ARG_LIBRARIES} GTest::gmock GTest::gtest_main)
  qdt_test_options(${name})
  target_precompile_headers(${name} REUSE_FROM qdt_test_headers)
  if(NOT ARG_NO_ENTRY)
    qdt_test_entry(${name} ${name})
  endif()
endfunction()

# qdt_test_entry(NAME PROGRAM [LABEL unit...] [SHARDS N] [FILTER gtest_filter]): a test of ctest's, or N
# that share the work, for the tests of PROGRAM. They need the processor, so they count for two of the
# namespace scripts, which wait most of the time.
function(qdt_test_entry name program)
  cmake_parse_arguments(ARG "" "SHARDS;FILTER" "LABEL" ${ARGN})
  if(NOT TARGET ${program})
    return()
  endif()
  if(NOT ARG_LABEL)
    set(ARG_LABEL unit)
  endif()
  if(NOT ARG_SHARDS)
    set(ARG_SHARDS 1)
  endif()
  set(command ${program} --gtest_brief=1)
  if(ARG_FILTER)
    list(APPEND command "--gtest_filter=${ARG_FILTER}")
  endif()
  foreach(shard RANGE 1 ${ARG_SHARDS})
    math(EXPR index "${shard} - 1")
    set(entry ${name})
    if(ARG_SHARDS GREATER 1)
      set(entry ${name}.${shard})
    endif()
    add_test(NAME ${entry} COMMAND ${command})
    set_tests_properties(${entry} PROPERTIES TIMEOUT 900 LABELS "${ARG_LABEL}" PROCESSORS 2
      ENVIRONMENT "GTEST_TOTAL_SHARDS=${ARG_SHARDS};GTEST_SHARD_INDEX=${index}")
  endforeach()
endfunction()

# qdt_folder(NAME LIBRARIES...): the sources of this folder as the library qdt_NAME, the *_test.cc
# beside them as the test program NAME_test. PUBLIC libraries are the folders it may include;
# PRIVATE ones are third-party, which no header shows. THREADED: as for qdt_test.
function(qdt_folder name)
  cmake_parse_arguments(ARG "THREADED" "" "SOURCES;PUBLIC;PRIVATE;TEST_LIBRARIES" ${ARGN})
  if(NOT ARG_SOURCES)
    file(GLOB ARG_SOURCES CONFIGURE_DEPENDS *.cc *.h)
  endif()
  set(tests ${ARG_SOURCES})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER ARG_SOURCES EXCLUDE REGEX "_test\\.cc$")

  add_library(qdt_${name} STATIC ${ARG_SOURCES})
  target_link_libraries(qdt_${name} PUBLIC qdt_options ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
  qdt_use_standard_headers(qdt_${name})
  if(tests AND QDT_TESTS AND NOT QDT_FUZZ)
    set(threaded)
    if(ARG_THREADED)
      set(threaded THREADED)
    endif()
    qdt_test(${name}_test ${threaded} SOURCES ${tests} LIBRARIES qdt_${name} ${ARG_TEST_LIBRARIES})
  endif()
endfunction()
