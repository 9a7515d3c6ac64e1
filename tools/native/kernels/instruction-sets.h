// The instruction sets that the kernels are compiled for, and the one that this process uses.
#pragma once

#include <string>
#include <vector>

#include "kernels.h"
#include "reduced.h"
#include "scan.h"

namespace clipscope {

struct InstructionSet {
  const char *name;
  const Kernels *kernels;
  const ReducedKernels *reduced;
  const ScanKernel *scan;
  bool runs;  // on this processor
};

// The best one that this processor supports, or the one that CLIPSCOPE_INSTRUCTIONS names.
const InstructionSet &instructionSet();

}  // namespace clipscope
