# A product and a sum rounded once, where the machine can, would make results depend on it. The base
# of x86-64 cannot (docs/reliability.md).
if(NOT CMAKE_SYSTEM_PROCESSOR STREQUAL x86_64 OR CMAKE_CXX_FLAGS MATCHES "-march|-mfma")
  set(RETICLE_FLOATING_POINT -ffp-contract=off)
endif()

# One library per folder, named reticle_<name>; warnings belong to our targets, not to the world.
function(reticle_flags target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wconversion -Wshadow
                                           # GCC 12 warns of std::string's own code (bug 105651)
                                           $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
                                           $<$<BOOL:${RETICLE_WERROR}>:-Werror>
                                           ${RETICLE_FLOATING_POINT})
  if(RETICLE_SANITIZE)
    target_compile_options(${target} PUBLIC -fsanitize=address,undefined -fno-omit-frame-pointer
                                            -fno-sanitize-recover=all)
    target_link_options(${target} PUBLIC -fsanitize=address,undefined)
  endif()
endfunction()

# reticle_library(name SOURCES a.cpp ... [PUBLIC lib ...] [PRIVATE lib ...])
function(reticle_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(reticle_${name} STATIC ${ARG_SOURCES})
  target_include_directories(reticle_${name} PUBLIC ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/..)
  target_link_libraries(reticle_${name} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
  reticle_flags(reticle_${name})
endfunction()

# reticle_test(name LABEL unit|timing|law|golden|anchor SOURCES a.cpp ... LIBS lib ...)
# Every case runs in a process of its own: SystemC elaborates once per process. The target
# tests_<label> builds all of a label.
function(reticle_test name)
  cmake_parse_arguments(ARG "" "LABEL" "SOURCES;LIBS" ${ARGN})
  add_executable(test_${name} ${ARG_SOURCES})
  target_link_libraries(test_${name} PRIVATE reticle_test_main ${ARG_LIBS})
  target_compile_definitions(test_${name} PRIVATE
    RETICLE_SOURCE_DIR="${CMAKE_CURRENT_FUNCTION_LIST_DIR}/.." RETICLE_BINARY="${CMAKE_BINARY_DIR}/reticle")
  target_link_options(test_${name} PRIVATE -fno-lto)  # libraries carry plain code beside
  reticle_flags(test_${name})
  if(NOT TARGET tests_${ARG_LABEL})
    add_custom_target(tests_${ARG_LABEL})
  endif()
  add_dependencies(tests_${ARG_LABEL} test_${name})
  set(timeout 300)
  if(RETICLE_SANITIZE)
    set(timeout 1200)
  endif()
  if(ARG_LABEL STREQUAL anchor)
    set(timeout 1800)  # whole traces, on slow machines
  endif()
  doctest_discover_tests(test_${name} TEST_PREFIX "${ARG_LABEL}: "
                         PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${timeout} SKIP_RETURN_CODE 77)
endfunction()
