# room(NAME [TORCH] [APART] [WITHOUT regex] [DEPS room...] [LIBS cmake-target...])
#
# One room = one folder = one namespace = one target. Every .cc of the folder belongs to it; foo_test.cc is a test and
# goes into the program NAME_test. DEPS names the rooms whose headers it may include (base is always allowed);
# tests/layers_test.py holds the #includes against these lines. A TORCH room uses LibTorch, whose headers take 20 s to
# read: the first such room (model) precompiles them, the others take that.
#
# Files are compiled several at a time, which takes a third of the time; so no two of a room may give one name in an
# unnamed namespace to different things. APART: this room's files are compiled one by one. The preset dev compiles all
# so: there a file has to include all it uses. WITHOUT: files whose paths match are no part of this build.
function(room NAME)
  cmake_parse_arguments(R "TORCH;APART" "WITHOUT" "DEPS;LIBS" ${ARGN})
  file(GLOB_RECURSE SOURCES CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  if(R_WITHOUT)
    list(FILTER SOURCES EXCLUDE REGEX ${R_WITHOUT})
  endif()
  set(TESTS ${SOURCES})
  list(FILTER TESTS INCLUDE REGEX "_test\\.cc$")
  list(FILTER SOURCES EXCLUDE REGEX "_test\\.cc$")
  if(NOT NAME STREQUAL "base")
    list(PREPEND R_DEPS base)
  endif()
  list(TRANSFORM R_DEPS PREPEND "atelier::")
  if(SOURCES)
    add_library(atelier_${NAME} STATIC ${SOURCES})
    target_include_directories(atelier_${NAME} PUBLIC ${PROJECT_SOURCE_DIR}/src)
    target_link_libraries(atelier_${NAME} PUBLIC ${R_DEPS} ${R_LIBS})
    if(NOT R_APART)
      together(atelier_${NAME})
    endif()
    if(R_TORCH)
      target_link_libraries(atelier_${NAME} PUBLIC LibTorch::cpu)
      torch_headers(atelier_${NAME})
    elseif(NOT NAME STREQUAL "base")
      target_precompile_headers(atelier_${NAME} REUSE_FROM atelier_base)
    endif()
  else()  # headers only
    add_library(atelier_${NAME} INTERFACE)
    target_link_libraries(atelier_${NAME} INTERFACE ${R_DEPS} ${R_LIBS})
  endif()
  add_library(atelier::${NAME} ALIAS atelier_${NAME})
  if(ATELIER_TESTS AND TESTS)
    room_tests(${NAME}_test atelier::${NAME} ${TESTS})
  endif()
endfunction()

# together(TARGET): its files are compiled several at a time.
function(together TARGET)
  set_target_properties(${TARGET} PROPERTIES UNITY_BUILD ${ATELIER_TOGETHER} UNITY_BUILD_BATCH_SIZE 6)
endfunction()

# torch_headers(TARGET): precompiles them for the first target, lends them to the others.
function(torch_headers NAME)
  if(NOT NAME STREQUAL "atelier_model")
    target_precompile_headers(${NAME} REUSE_FROM atelier_model)
  else()
    target_precompile_headers(${NAME} PRIVATE <torch/torch.h> <nlohmann/json.hpp>)
  endif()
endfunction()

# room_tests(PROGRAM LIB source...): a GoogleTest program whose every test is a ctest of its own.
function(room_tests PROGRAM LIB)
  add_executable(${PROGRAM} ${ARGN})
  target_link_libraries(${PROGRAM} PRIVATE ${LIB} atelier::base GTest::gtest GTest::gtest_main)
  target_compile_definitions(${PROGRAM} PRIVATE ATELIER_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_compile_options(${PROGRAM} PRIVATE $<$<CONFIG:Release>:-O1>)  # what is tested is optimised; the tests need not be
  if(PROGRAM STREQUAL "base_test")
    target_precompile_headers(${PROGRAM} PRIVATE <gtest/gtest.h> <string> <vector> <nlohmann/json.hpp>)
  elseif(PROGRAM STREQUAL "model_test")
    target_precompile_headers(${PROGRAM} PRIVATE <torch/torch.h> <gtest/gtest.h> <nlohmann/json.hpp>)
    together(${PROGRAM})
  elseif(PROGRAM MATCHES "^(train|bert_start)_test$")
    target_precompile_headers(${PROGRAM} REUSE_FROM model_test)
    together(${PROGRAM})
  else()
    target_precompile_headers(${PROGRAM} REUSE_FROM base_test)
  endif()
  gtest_discover_tests(${PROGRAM} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT 600 ENVIRONMENT "ATELIER_BUILD_DIR=${CMAKE_BINARY_DIR};TEST_TMPDIR=${CMAKE_BINARY_DIR}/test_tmp/")
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/test_tmp)
  foreach(SOURCE ${ARGN})
    file(RELATIVE_PATH REL ${PROJECT_SOURCE_DIR} ${SOURCE})
    set_property(GLOBAL APPEND PROPERTY ATELIER_REGISTERED_TESTS ${REL})
  endforeach()
endfunction()
