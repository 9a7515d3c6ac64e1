// The addon of the scan: `instructions`, allocate(bytes), and bind(codes, list, queries, out, stride), which returns a
// function dots(query, first, count). It does not need TensorFlow, and several threads may load it.
#include <node_api.h>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "instruction-sets.h"

namespace {

using clipscope::Scan;

constexpr size_t largePage = 1 << 21;

napi_value Fail(napi_env env, const char *message) {
  napi_throw_range_error(env, nullptr, message);
  return nullptr;
}

#if defined(__linux__)
void Free(napi_env, void *data, void *bytes) { munmap(data, reinterpret_cast<size_t>(bytes)); }
#endif

// An ArrayBuffer of zeros on large pages, with which a scan from memory takes about a tenth less time.
napi_value Allocate(napi_env env, napi_callback_info info) {
  napi_value given[1];
  size_t count = 1;
  int64_t bytes = 0;
  napi_get_cb_info(env, info, &count, given, nullptr, nullptr);
  if (count < 1 || napi_get_value_int64(env, given[0], &bytes) != napi_ok || bytes < 0)
    return Fail(env, "expected a number of bytes");
  napi_value buffer;
#if defined(__linux__)
  if (static_cast<size_t>(bytes) >= largePage) {
    const size_t size = static_cast<size_t>(bytes);
    void *memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return Fail(env, "not enough memory for the codes");
    madvise(memory, size, MADV_HUGEPAGE);
    if (napi_create_external_arraybuffer(env, memory, size, Free, reinterpret_cast<void *>(size), &buffer) == napi_ok)
      return buffer;
    munmap(memory, size);  // a host that forbids memory that is not its own
  }
#endif
  void *data;
  if (napi_create_arraybuffer(env, static_cast<size_t>(bytes), &data, &buffer) != napi_ok) return nullptr;
  return buffer;
}

// The arrays of a function that bind() returned, which keeps them alive.
struct Bound {
  const int8_t *codes;
  const int32_t *list;
  const int16_t *queries;
  int32_t *out;
  int64_t rows, stride, listed, queryCount, outCount;
  napi_ref arrays[4];
};

napi_value Dots(napi_env env, napi_callback_info info) {
  napi_value given[3];
  size_t argumentCount = 3;
  void *data;
  int64_t numbers[3] = {-1, -1, -1};
  napi_get_cb_info(env, info, &argumentCount, given, nullptr, &data);
  for (size_t i = 0; i < argumentCount && i < 3; ++i) napi_get_value_int64(env, given[i], &numbers[i]);
  const Bound &bound = *static_cast<const Bound *>(data);
  const auto [query, first, count] = numbers;
  const bool fits = query >= 0 && query < bound.queryCount && first >= 0 && first <= bound.rows && count >= 0 &&
                    count <= bound.listed && count <= bound.outCount;
  if (!fits) return Fail(env, "expected a query, a row and a count within the arrays");
  bool inside = true;
  for (int64_t i = 0; i < count; ++i) inside &= bound.list[i] >= 0 && bound.list[i] < bound.rows - first;
  if (!inside) return Fail(env, "expected rows within the codes");
  clipscope::instructionSet().scan->dots({bound.codes + first * bound.stride, bound.stride, bound.list, count,
                                    bound.queries + query * bound.stride, bound.out});
  return nullptr;
}

void Unbind(napi_env env, void *data, void *) {
  Bound *bound = static_cast<Bound *>(data);
  for (napi_ref array : bound->arrays) napi_delete_reference(env, array);
  delete bound;
}

// The address and length of a typed array of this type; null for anything else.
void *Elements(napi_env env, napi_value array, napi_typedarray_type expected, int64_t *length) {
  bool isTyped = false;
  if (napi_is_typedarray(env, array, &isTyped) != napi_ok || !isTyped) return nullptr;
  napi_typedarray_type type;
  size_t size;
  void *data;
  napi_get_typedarray_info(env, array, &type, &size, &data, nullptr, nullptr);
  *length = static_cast<int64_t>(size);
  static char none;
  return type != expected ? nullptr : data ? data : &none;
}

napi_value Bind(napi_env env, napi_callback_info info) {
  napi_value given[5];
  size_t count = 5;
  napi_get_cb_info(env, info, &count, given, nullptr, nullptr);
  int64_t codes = 0, queries = 0;
  Bound bound = {};
  bound.codes = static_cast<int8_t *>(Elements(env, given[0], napi_int8_array, &codes));
  bound.list = static_cast<int32_t *>(Elements(env, given[1], napi_int32_array, &bound.listed));
  bound.queries = static_cast<int16_t *>(Elements(env, given[2], napi_int16_array, &queries));
  bound.out = static_cast<int32_t *>(Elements(env, given[3], napi_int32_array, &bound.outCount));
  if (count < 5 || napi_get_value_int64(env, given[4], &bound.stride) != napi_ok || bound.stride <= 0 ||
      bound.stride % 64 != 0 || !bound.codes || !bound.list || !bound.queries || !bound.out)
    return Fail(env, "expected codes, a list, queries, sums, and a stride that is a multiple of 64");
  bound.rows = codes / bound.stride;
  bound.queryCount = queries / bound.stride;
  Bound *kept = new Bound(bound);
  for (int i = 0; i < 4; ++i) napi_create_reference(env, given[i], 1, &kept->arrays[i]);
  napi_value function;
  napi_create_function(env, "dots", NAPI_AUTO_LENGTH, Dots, kept, &function);
  napi_add_finalizer(env, function, kept, Unbind, nullptr, nullptr);
  return function;
}

void Offer(napi_env env, napi_value exports, const char *name, napi_callback callback) {
  napi_value function;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
  napi_set_named_property(env, exports, name, function);
}

}  // namespace

NAPI_MODULE_INIT() {
  napi_value instructions;
  napi_create_string_utf8(env, clipscope::instructionSet().scan->name, NAPI_AUTO_LENGTH, &instructions);
  napi_set_named_property(env, exports, "instructions", instructions);
  Offer(env, exports, "allocate", Allocate);
  Offer(env, exports, "bind", Bind);
  return exports;
}
