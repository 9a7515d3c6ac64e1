// Large arrays.
#pragma once

#include <sys/mman.h>

#include <cstdint>

namespace clipscope {

// Asks for large pages. In small ones, allocating gigabytes takes seconds, and reading them needs more of the processor's
// table of pages than it has.
inline void preferLargePages(void *memory, int64_t bytes) {
#if defined(MADV_HUGEPAGE)
  constexpr uintptr_t page = 2 * 1024 * 1024;
  const auto address = reinterpret_cast<uintptr_t>(memory);
  const uintptr_t begin = (address + page - 1) / page * page, end = (address + bytes) / page * page;
  if (end > begin) madvise(reinterpret_cast<void *>(begin), end - begin, MADV_HUGEPAGE);
#else
  (void)memory, (void)bytes;
#endif
}

}  // namespace clipscope
