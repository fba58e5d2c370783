// Turns an instruction set on for the rest of a file. Stand after every #include: what the headers define keeps the
// baseline, so no inline function compiled for a newer machine can end up in the rest of the program. For the same
// reason such a file instantiates no std:: template after this point.
#pragma once

#if defined(__x86_64__)
#define ATELIER_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define ATELIER_TARGET_BEGIN(set) \
  ATELIER_PRAGMA(clang attribute push(__attribute__((target(set))), apply_to = function))
#define ATELIER_TARGET_END ATELIER_PRAGMA(clang attribute pop)
#else
#define ATELIER_TARGET_BEGIN(set) ATELIER_PRAGMA(GCC push_options) ATELIER_PRAGMA(GCC target(set))
#define ATELIER_TARGET_END
#endif
#endif
