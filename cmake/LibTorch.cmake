# LibTorch as the target LibTorch::cpu, out of a folder with include/ and lib/: tools/fetch_libtorch.sh fills build/torch
# out of PyTorch's wheel; ATELIER_LIBTORCH may name an unpacked LibTorch instead.
#
# The wheel's own TorchConfig.cmake asks for a CUDA toolkit, so the target is made here; what is linked is torch_cpu and
# c10 alone.
set(ATELIER_LIBTORCH "${PROJECT_SOURCE_DIR}/build/torch" CACHE PATH "LibTorch: a folder with include/ and lib/")
unset(TORCH_CPU_LIBRARY CACHE)  # another folder may be named
unset(TORCH_C10_LIBRARY CACHE)
find_library(TORCH_CPU_LIBRARY torch_cpu PATHS ${ATELIER_LIBTORCH}/lib NO_DEFAULT_PATH)
find_library(TORCH_C10_LIBRARY c10 PATHS ${ATELIER_LIBTORCH}/lib NO_DEFAULT_PATH)
if(NOT TORCH_CPU_LIBRARY OR NOT TORCH_C10_LIBRARY)
  message(FATAL_ERROR "no LibTorch in ${ATELIER_LIBTORCH}: run tools/fetch_libtorch.sh build/torch, set ATELIER_LIBTORCH "
    "to an unpacked LibTorch, or configure with -DATELIER_TRAINING=OFF")
endif()
find_package(OpenMP REQUIRED COMPONENTS CXX)

add_library(LibTorch::cpu INTERFACE IMPORTED)
# Behind all other include folders: torch's holds an fmt of its own.
target_compile_options(LibTorch::cpu INTERFACE
  "SHELL:-idirafter ${ATELIER_LIBTORCH}/include"
  "SHELL:-idirafter ${ATELIER_LIBTORCH}/include/torch/csrc/api/include"
  -fopenmp)
# Its libraries are found beside each other by their own run paths; its libgomp has to be the process's only one.
target_link_libraries(LibTorch::cpu INTERFACE ${TORCH_CPU_LIBRARY} ${TORCH_C10_LIBRARY})
target_link_options(LibTorch::cpu INTERFACE -Wl,-rpath,${ATELIER_LIBTORCH}/lib -L${ATELIER_LIBTORCH}/lib
  -Wl,-rpath-link,${ATELIER_LIBTORCH}/lib -Wl,--allow-shlib-undefined)
file(GLOB TORCH_GOMP ${ATELIER_LIBTORCH}/lib/libgomp*.so*)
if(TORCH_GOMP)
  list(GET TORCH_GOMP 0 TORCH_GOMP)
  target_link_libraries(LibTorch::cpu INTERFACE ${TORCH_GOMP})
endif()
