#include "instruction-sets.h"

#include <cstdlib>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace clipscope {

// CLIPSCOPE_HAS_… is set for the sets that the compiler supports.
#define CLIPSCOPE_DECLARE(set)        \
  namespace set {                     \
  extern const Kernels kernels;       \
  extern const ScanKernel scanKernel; \
  }
#define CLIPSCOPE_DECLARE_REDUCED(set)        \
  namespace set {                             \
  extern const ReducedKernels reducedKernels; \
  }
CLIPSCOPE_DECLARE(baseline)
CLIPSCOPE_DECLARE_REDUCED(baseline)
#if defined(__x86_64__)
CLIPSCOPE_DECLARE(avx2)
CLIPSCOPE_DECLARE_REDUCED(avx2)
CLIPSCOPE_DECLARE(avx512)
CLIPSCOPE_DECLARE_REDUCED(avx512)
#endif
#if defined(CLIPSCOPE_HAS_avx512vnni)
CLIPSCOPE_DECLARE_REDUCED(avx512vnni)
namespace avx512vnni {
extern const ScanKernel scanKernel;
}
#endif
#if defined(CLIPSCOPE_HAS_avx512bf16)
CLIPSCOPE_DECLARE_REDUCED(avx512bf16)
#endif
#if defined(CLIPSCOPE_HAS_amx)
CLIPSCOPE_DECLARE_REDUCED(amx)
#endif

namespace {

#if defined(__x86_64__)
// A bit of a register that cpuid returns for leaf 7: registers 1 (ebx) to 3 (edx).
[[maybe_unused]] bool hasFeature(unsigned subleaf, int place, int bit) {
  unsigned registers[4] = {};
  if (!__get_cpuid_count(7, subleaf, &registers[0], &registers[1], &registers[2], &registers[3])) return false;
  return registers[place] >> bit & 1;
}

// Linux enables a process's tile registers on request. Source: the kernel's documentation, arch/x86/xstate.rst.
[[maybe_unused]] bool enableTiles() {
#if defined(__linux__)
  constexpr int requestPermission = 0x1023, tileData = 18;
  return syscall(SYS_arch_prctl, requestPermission, tileData) == 0;
#else
  return false;
#endif
}
#endif

std::vector<InstructionSet> instructionSets() {
  std::vector<InstructionSet> sets;
#if defined(__x86_64__)
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
  const bool avx512vnni = avx512 && hasFeature(0, 2, 11);
  const bool avx512bf16 = avx512vnni && hasFeature(1, 0, 5);
  const bool amx = avx512bf16 && hasFeature(0, 3, 22) && hasFeature(0, 3, 24) && hasFeature(0, 3, 25);
#if defined(CLIPSCOPE_HAS_amx)
  sets.push_back({"amx", &avx512::kernels, &amx::reducedKernels, &avx512vnni::scanKernel, amx && enableTiles()});
#endif
#if defined(CLIPSCOPE_HAS_avx512bf16)
  sets.push_back({"avx512bf16", &avx512::kernels, &avx512bf16::reducedKernels, &avx512vnni::scanKernel, avx512bf16});
#endif
#if defined(CLIPSCOPE_HAS_avx512vnni)
  sets.push_back({"avx512vnni", &avx512::kernels, &avx512vnni::reducedKernels, &avx512vnni::scanKernel, avx512vnni});
#endif
  sets.push_back({"avx512", &avx512::kernels, &avx512::reducedKernels, &avx512::scanKernel, avx512});
  sets.push_back({"avx2", &avx2::kernels, &avx2::reducedKernels, &avx2::scanKernel, avx2});
#endif
  sets.push_back({"baseline", &baseline::kernels, &baseline::reducedKernels, &baseline::scanKernel, true});
  return sets;
}

}  // namespace

const InstructionSet &instructionSet() {
  static const InstructionSet best = [] {
    const std::vector<InstructionSet> sets = instructionSets();
    const char *named = std::getenv("CLIPSCOPE_INSTRUCTIONS");
    for (const InstructionSet &set : sets) {
      if (set.runs && (!named || std::string(named) == set.name)) return set;
    }
    return sets.back();
  }();
  return best;
}

}  // namespace clipscope
