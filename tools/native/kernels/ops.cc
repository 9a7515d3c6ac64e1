// The kernels as TensorFlow operations for the CPU, through TensorFlow's C API.
#include <tensorflow/c/c_api.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "instruction-sets.h"
#include "kernels.h"
#include "read.h"
#include "reduced.h"

// Declarations of TensorFlow's C API for operations (tensorflow/c/kernels.h and ops.h). The C library's archive lacks
// these headers, and in Python's wheels they include headers that are missing.
extern "C" {
struct TF_OpDefinitionBuilder;
struct TF_KernelBuilder;
struct TF_OpKernelConstruction;
struct TF_OpKernelContext;

TF_OpDefinitionBuilder *TF_NewOpDefinitionBuilder(const char *name);
void TF_OpDefinitionBuilderAddInput(TF_OpDefinitionBuilder *, const char *specification);
void TF_OpDefinitionBuilderAddOutput(TF_OpDefinitionBuilder *, const char *specification);
void TF_OpDefinitionBuilderAddAttr(TF_OpDefinitionBuilder *, const char *specification);
void TF_RegisterOpDefinition(TF_OpDefinitionBuilder *, TF_Status *);

TF_KernelBuilder *TF_NewKernelBuilder(const char *name, const char *device, void *(*create)(TF_OpKernelConstruction *),
                                      void (*compute)(void *, TF_OpKernelContext *), void (*destroy)(void *));
void TF_RegisterKernelBuilder(const char *name, TF_KernelBuilder *, TF_Status *);

unsigned char TF_OpKernelConstruction_HasAttr(TF_OpKernelConstruction *, const char *name, TF_Status *);
void TF_OpKernelConstruction_GetAttrInt32(TF_OpKernelConstruction *, const char *name, int32_t *, TF_Status *);
void TF_OpKernelConstruction_GetAttrFloat(TF_OpKernelConstruction *, const char *name, float *, TF_Status *);
void TF_OpKernelConstruction_Failure(TF_OpKernelConstruction *, TF_Status *);

int TF_NumInputs(TF_OpKernelContext *);
void TF_GetInput(TF_OpKernelContext *, int index, TF_Tensor **, TF_Status *);
TF_Tensor *TF_AllocateOutput(TF_OpKernelContext *, int index, TF_DataType, const int64_t *dims, int rank, size_t size,
                             TF_Status *);
void TF_OpKernelContext_Failure(TF_OpKernelContext *, TF_Status *);
}

namespace clipscope {

namespace {

const Kernels &kernels() { return *instructionSet().kernels; }
const ReducedKernels &reducedKernels() { return *instructionSet().reduced; }

// The number of threads is TensorFlow's setting, else one per available core. Created on first use.
Pool &pool() {
  static Pool &threads = *new Pool([] {
    const char *set = std::getenv("TF_NUM_INTRAOP_THREADS");
    const int wanted = set ? std::atoi(set) : 0;
    return wanted > 0 ? wanted : static_cast<int>(std::thread::hardware_concurrency());
  }());
  return threads;
}

// One call of an operation: its inputs, its outputs and its status.
class Call {
 public:
  explicit Call(TF_OpKernelContext *context) : context_(context), status_(TF_NewStatus()) {
    const int count = TF_NumInputs(context);
    for (int i = 0; i < count && ok(); ++i) {
      TF_Tensor *input = nullptr;
      TF_GetInput(context, i, &input, status_);
      if (ok()) inputs_.push_back(input);
    }
  }
  ~Call() {
    if (!ok()) TF_OpKernelContext_Failure(context_, status_);
    for (TF_Tensor *tensor : inputs_) TF_DeleteTensor(tensor);
    for (TF_Tensor *tensor : outputs_) TF_DeleteTensor(tensor);
    TF_DeleteStatus(status_);
  }

  bool ok() const { return TF_GetCode(status_) == TF_OK; }
  int rank(int i) const { return TF_NumDims(inputs_[i]); }
  int64_t size(int i) const { return TF_TensorElementCount(inputs_[i]); }
  // A negative axis counts from the end.
  int64_t dim(int i, int axis) const { return TF_Dim(inputs_[i], axis < 0 ? rank(i) + axis : axis); }
  const float *data(int i) const { return static_cast<const float *>(TF_TensorData(inputs_[i])); }
  const int32_t *integers(int i) const { return static_cast<const int32_t *>(TF_TensorData(inputs_[i])); }

  bool expect(bool condition, const char *what) {
    if (ok() && !condition) TF_SetStatus(status_, TF_INVALID_ARGUMENT, what);
    return ok();
  }

  // Allocates the next output.
  float *allocate(const std::vector<int64_t> &shape) { return static_cast<float *>(allocate(shape, TF_FLOAT)); }
  int32_t *allocateIntegers(const std::vector<int64_t> &shape) {
    return static_cast<int32_t *>(allocate(shape, TF_INT32));
  }
  std::vector<int64_t> shape(int i) const {
    std::vector<int64_t> lengths;
    for (int axis = 0; axis < rank(i); ++axis) lengths.push_back(dim(i, axis));
    return lengths;
  }

 private:
  // Both types have four bytes.
  void *allocate(const std::vector<int64_t> &shape, TF_DataType type) {
    size_t size = 4;
    for (int64_t length : shape) size *= length;
    TF_Tensor *output = TF_AllocateOutput(context_, static_cast<int>(outputs_.size()), type, shape.data(),
                                          static_cast<int>(shape.size()), size, status_);
    if (!ok()) return nullptr;
    outputs_.push_back(output);
    return TF_TensorData(output);
  }

  TF_OpKernelContext *context_;
  TF_Status *status_;
  std::vector<TF_Tensor *> inputs_;
  std::vector<TF_Tensor *> outputs_;
};

// The attributes of an operation.
struct Attributes {
  int32_t heads = 1, parts = 1;
  int32_t precision = 0;  // of a Precision; 0 for float32
  float epsilon = 0;
};

void *readAttributes(TF_OpKernelConstruction *construction) {
  auto *attributes = new Attributes;
  TF_Status *status = TF_NewStatus();
  if (TF_OpKernelConstruction_HasAttr(construction, "heads", status)) {
    TF_OpKernelConstruction_GetAttrInt32(construction, "heads", &attributes->heads, status);
  }
  if (TF_OpKernelConstruction_HasAttr(construction, "parts", status)) {
    TF_OpKernelConstruction_GetAttrInt32(construction, "parts", &attributes->parts, status);
  }
  if (TF_OpKernelConstruction_HasAttr(construction, "precision", status)) {
    TF_OpKernelConstruction_GetAttrInt32(construction, "precision", &attributes->precision, status);
  }
  if (TF_OpKernelConstruction_HasAttr(construction, "epsilon", status)) {
    TF_OpKernelConstruction_GetAttrFloat(construction, "epsilon", &attributes->epsilon, status);
  }
  if (TF_GetCode(status) != TF_OK) TF_OpKernelConstruction_Failure(construction, status);
  TF_DeleteStatus(status);
  return attributes;
}

void deleteAttributes(void *attributes) { delete static_cast<Attributes *>(attributes); }

// x [..., in], w [in, out], bias [out] or empty; the outputs are parts of [..., out]
void computeLinear(void *attributes, TF_OpKernelContext *context) {
  Call call(context);
  if (!call.expect(call.rank(0) > 0 && call.rank(1) == 2 && call.dim(0, -1) == call.dim(1, 0), "x · w do not match")) return;
  const int64_t in = call.dim(1, 0), width = call.dim(1, 1), parts = static_cast<Attributes *>(attributes)->parts;
  if (!call.expect(call.size(2) == width || call.size(2) == 0, "the bias does not match")) return;
  if (!call.expect(in > 0 && parts > 0 && width % parts == 0, "the parts differ in size")) return;
  std::vector<int64_t> shape = call.shape(0);
  shape.back() = width / parts;
  std::vector<float *> y;
  while (call.ok() && static_cast<int64_t>(y.size()) < parts) y.push_back(call.allocate(shape));
  if (!call.ok()) return;
  const float *bias = call.size(2) > 0 ? call.data(2) : nullptr;
  kernels().linear({call.size(0) / in, in, width / parts, parts, call.data(0), call.data(1), bias, y.data()}, pool());
}

// w [out, in]; the output is an array of words (reduced.h)
void computePackWeight(void *attributes, TF_OpKernelContext *context) {
  Call call(context);
  if (!call.expect(call.rank(0) == 2 && call.size(0) > 0, "expected a matrix")) return;
  const auto precision = static_cast<Precision>(static_cast<Attributes *>(attributes)->precision);
  if (!call.expect(isPrecision(precision), "unknown precision")) return;
  const int64_t out = call.dim(0, 0), in = call.dim(0, 1);
  int32_t *words = call.allocateIntegers({packedSize(precision, in, out)});
  if (words) pack(precision, call.data(0), in, out, words, pool());
}

// x [..., in], w packed, bias [out] or empty; the outputs are parts of [..., out]
void computeReducedLinear(void *attributes, TF_OpKernelContext *context) {
  Call call(context);
  ReducedLinear op{};
  if (!call.expect(call.rank(0) > 0, "x has no axis")) return;
  const std::string problem = readPacked(call.integers(1), call.size(1), &op.w);
  if (!call.expect(problem.empty(), problem.c_str())) return;
  op.parts = static_cast<Attributes *>(attributes)->parts;
  if (!call.expect(call.dim(0, -1) == op.w.in, "x · w do not match")) return;
  if (!call.expect(call.size(2) == op.w.out || call.size(2) == 0, "the bias does not match")) return;
  if (!call.expect(op.parts > 0 && op.w.out % op.parts == 0, "the parts differ in size")) return;
  std::vector<int64_t> shape = call.shape(0);
  shape.back() = op.w.out / op.parts;
  std::vector<float *> y;
  while (call.ok() && static_cast<int64_t>(y.size()) < op.parts) y.push_back(call.allocate(shape));
  if (!call.ok()) return;
  op.rows = call.size(0) / op.w.in;
  op.x = call.data(0);
  op.bias = call.size(2) > 0 ? call.data(2) : nullptr;
  op.y = y.data();
  reducedKernels().linear(op, pool());
}

void computeGelu(void *, TF_OpKernelContext *context) {
  Call call(context);
  if (!call.ok()) return;
  float *y = call.allocate(call.shape(0));
  if (y) kernels().gelu({call.size(0), call.data(0), y}, pool());
}

// x [..., width], gamma [width], beta [width]
void computeLayerNorm(void *attributes, TF_OpKernelContext *context) {
  Call call(context);
  if (!call.expect(call.rank(0) > 0, "x has no axis")) return;
  const int64_t width = call.dim(0, -1);
  if (!call.expect(call.size(1) == width && call.size(2) == width, "the weights do not match")) return;
  float *y = call.allocate(call.shape(0));
  const float epsilon = static_cast<Attributes *>(attributes)->epsilon;
  if (y && width > 0) {
    kernels().layerNorm({call.size(0) / width, width, epsilon, call.data(0), call.data(1), call.data(2), y}, pool());
  }
}

// q, k [batch, length, width], mask with four axes that broadcasts to [batch, heads, length, length], or empty
void computeProbabilities(void *attributes, TF_OpKernelContext *context) {
  const bool isReduced = static_cast<Attributes *>(attributes)->precision != 0;
  Call call(context);
  const int64_t heads = static_cast<Attributes *>(attributes)->heads;
  if (!call.expect(call.rank(0) == 3 && call.shape(0) == call.shape(1), "q and k do not match")) return;
  const int64_t batch = call.dim(0, 0), length = call.dim(0, 1), width = call.dim(0, 2);
  if (!call.expect(heads > 0 && width % heads == 0, "the heads do not divide the width")) return;
  Probabilities op{batch, heads, length, width, call.data(0), call.data(1), nullptr, {}, nullptr};
  if (call.size(2) > 0) {
    if (!call.expect(call.rank(2) == 4, "expected a mask with four axes")) return;
    const int64_t full[] = {batch, heads, length, length};
    int64_t stride = 1;
    for (int axis = 3; axis >= 0; --axis) {
      const int64_t size = call.dim(2, axis);
      if (!call.expect(size == 1 || size == full[axis], "the mask does not match")) return;
      op.maskStride[axis] = size == 1 ? 0 : stride;
      stride *= size;
    }
    op.mask = call.data(2);
  }
  op.p = call.allocate({batch, heads, length, length});
  if (op.p && length > 0) (isReduced ? reducedKernels().probabilities : kernels().probabilities)(op, pool());
}

// p [batch, heads, length, length], v [batch, length, width]
void computeContext(void *attributes, TF_OpKernelContext *context) {
  const bool isReduced = static_cast<Attributes *>(attributes)->precision != 0;
  Call call(context);
  if (!call.expect(call.rank(0) == 4 && call.rank(1) == 3, "p and v do not match")) return;
  const int64_t batch = call.dim(1, 0), length = call.dim(1, 1), width = call.dim(1, 2), heads = call.dim(0, 1);
  const std::vector<int64_t> full{batch, heads, length, length};
  if (!call.expect(call.shape(0) == full && heads > 0 && width % heads == 0, "p and v do not match")) return;
  float *y = call.allocate(call.shape(1));
  const Context op{batch, heads, length, width, call.data(0), call.data(1), y};
  if (y) (isReduced ? reducedKernels().context : kernels().context)(op, pool());
}

// place: file, offset (high and low half), dtype, rows, columns, whether transposed
void computeReadWeight(void *, TF_OpKernelContext *context) {
  Call call(context);
  if (!call.expect(call.size(0) == 7, "expected seven numbers for the place")) return;
  const int32_t *n = call.integers(0);
  const int64_t offset = static_cast<int64_t>(n[1]) << 32 | static_cast<uint32_t>(n[2]);
  const Place place{n[0], offset, static_cast<Dtype>(n[3]), n[4], n[5], n[6] != 0};
  float *y = call.allocate(place.transposed ? std::vector<int64_t>{n[5], n[4]} : std::vector<int64_t>{n[4], n[5]});
  if (!y) return;
  const std::string problem = readWeight(place, y, pool());
  call.expect(problem.empty(), problem.c_str());
}

struct Operation {
  const char *name;
  std::vector<const char *> inputs;
  std::vector<const char *> attributes;
  const char *output;
  void (*compute)(void *, TF_OpKernelContext *);
};

void add(const Operation &operation, TF_Status *status) {
  TF_OpDefinitionBuilder *definition = TF_NewOpDefinitionBuilder(operation.name);
  for (const char *input : operation.inputs) {
    TF_OpDefinitionBuilderAddInput(definition, input);
  }
  for (const char *attribute : operation.attributes) TF_OpDefinitionBuilderAddAttr(definition, attribute);
  TF_OpDefinitionBuilderAddOutput(definition, operation.output);
  TF_RegisterOpDefinition(definition, status);
  if (TF_GetCode(status) != TF_OK) return;
  TF_KernelBuilder *kernel =
      TF_NewKernelBuilder(operation.name, "CPU", readAttributes, operation.compute, deleteAttributes);
  TF_RegisterKernelBuilder(operation.name, kernel, status);
}

}  // namespace

// Registers the operations with TensorFlow; must be called once. Returns the name of the instruction set, or null and a
// message.
const char *registerOperations(std::string *message) {
  TF_Status *status = TF_NewStatus();
  for (const Operation &operation : std::vector<Operation>{
           {"ClipscopeLinear", {"x: float", "w: float", "bias: float"}, {"parts: int >= 1"}, "y: parts * float", computeLinear},
           {"ClipscopeGelu", {"x: float"}, {}, "y: float", computeGelu},
           {"ClipscopeLayerNorm", {"x: float", "gamma: float", "beta: float"}, {"epsilon: float"}, "y: float", computeLayerNorm},
           {"ClipscopeAttentionProbabilities",
            {"q: float", "k: float", "mask: float"},
            {"heads: int", "precision: int"},
            "y: float",
            computeProbabilities},
           {"ClipscopeAttentionContext", {"p: float", "v: float"}, {"precision: int"}, "y: float", computeContext},
           {"ClipscopeReducedLinear",
            {"x: float", "w: int32", "bias: float"},
            {"parts: int >= 1"},
            "y: parts * float",
            computeReducedLinear},
           {"ClipscopePackWeight", {"w: float"}, {"precision: int"}, "y: int32", computePackWeight},
           {"ClipscopeReadWeight", {"place: int32"}, {}, "y: float", computeReadWeight},
       }) {
    add(operation, status);
    if (TF_GetCode(status) != TF_OK) break;
  }
  const bool worked = TF_GetCode(status) == TF_OK;
  if (!worked) *message = TF_Message(status);
  TF_DeleteStatus(status);
  return worked ? instructionSet().name : nullptr;
}

}  // namespace clipscope
