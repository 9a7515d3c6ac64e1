// Runs the kernels of reduced precision, and the scan's, on arrays that end at a page which must not be touched, at sizes around the edges
// of tiles, panels, blocks and chunks. Prints the instruction set; exits with a signal, or AddressSanitizer's report, if a
// kernel reads or writes outside its arrays.
#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "instruction-sets.h"

using namespace clipscope;

namespace {

// An array whose end is the end of its last page; the next page is not accessible.
template <class T>
class Guarded {
 public:
  explicit Guarded(int64_t size) {
    const int64_t page = sysconf(_SC_PAGESIZE), bytes = size * static_cast<int64_t>(sizeof(T));
    length_ = (bytes + page - 1) / page * page + page;
    void *memory = mmap(nullptr, length_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) std::abort();
    memory_ = static_cast<char *>(memory);
    mprotect(memory_ + length_ - page, page, PROT_NONE);
    data_ = reinterpret_cast<T *>(memory_ + length_ - page - bytes);
  }
  ~Guarded() { munmap(memory_, length_); }
  T *data() { return data_; }

 private:
  int64_t length_;
  char *memory_;
  T *data_;
};

void check(Precision precision, int64_t rows, int64_t in, int64_t out, int64_t parts, bool hasBias, Pool &pool) {
  Guarded<float> x(rows * in), w(in * out), bias(out);
  for (int64_t i = 0; i < rows * in; ++i) x.data()[i] = static_cast<float>(i % 13) - 6 + (i % 101 == 0 ? 100.0f : 0.0f);
  for (int64_t i = 0; i < in * out; ++i) w.data()[i] = static_cast<float>(i % 7) - 3;
  for (int64_t i = 0; i < out; ++i) bias.data()[i] = static_cast<float>(i);
  Guarded<int32_t> words(packedSize(precision, in, out));
  pack(precision, w.data(), in, out, words.data(), pool);
  ReducedLinear op{rows, parts, {}, x.data(), hasBias ? bias.data() : nullptr, nullptr};
  if (!readPacked(words.data(), packedSize(precision, in, out), &op.w).empty()) std::abort();
  std::vector<std::unique_ptr<Guarded<float>>> arrays;
  std::vector<float *> y;
  for (int64_t i = 0; i < parts; ++i) {
    arrays.push_back(std::make_unique<Guarded<float>>(rows * out / parts));
    y.push_back(arrays.back()->data());
    std::fill_n(y.back(), rows * out / parts, std::nanf(""));
  }
  op.y = y.data();
  instructionSet().reduced->linear(op, pool);
  for (const float *part : y) {
    for (int64_t i = 0; i < rows * out / parts; ++i) {
      if (std::isfinite(part[i])) continue;
      std::printf("%lld rows, %lld in, %lld out: a number was not written\n", static_cast<long long>(rows),
                  static_cast<long long>(in), static_cast<long long>(out));
      std::exit(1);
    }
  }
}

void checkAttention(int64_t batch, int64_t heads, int64_t length, int64_t headWidth, Pool &pool) {
  const int64_t width = heads * headWidth, size = batch * length * width, scores = batch * heads * length * length;
  Guarded<float> q(size), k(size), v(size), mask(length), p(scores), y(size);
  for (int64_t i = 0; i < size; ++i) q.data()[i] = k.data()[i] = v.data()[i] = static_cast<float>(i % 11) / 11;
  for (int64_t i = 0; i < length; ++i) mask.data()[i] = 0;
  std::fill_n(p.data(), scores, std::nanf(""));
  std::fill_n(y.data(), size, std::nanf(""));
  instructionSet().reduced->probabilities({batch, heads, length, width, q.data(), k.data(), mask.data(), {0, 0, 0, 1}, p.data()}, pool);
  instructionSet().reduced->context({batch, heads, length, width, p.data(), v.data(), y.data()}, pool);
  for (int64_t i = 0; i < size; ++i) {
    if (std::isfinite(y.data()[i])) continue;
    std::printf("attention over %lld tokens: a number was not written\n", static_cast<long long>(length));
    std::exit(1);
  }
}

void checkScan(int64_t rows, int64_t stride, int64_t count) {
  Guarded<int8_t> codes(rows * stride);
  Guarded<int32_t> list(count), out(count);
  Guarded<int16_t> query(stride);
  for (int64_t i = 0; i < rows * stride; ++i) codes.data()[i] = static_cast<int8_t>(i % 255 - 127);
  for (int64_t i = 0; i < stride; ++i) query.data()[i] = static_cast<int16_t>(i % 1001 - 500);
  for (int64_t i = 0; i < count; ++i) list.data()[i] = static_cast<int32_t>(rows - 1 - i % rows);
  instructionSet().scan->dots({codes.data(), stride, list.data(), count, query.data(), out.data()});
  for (int64_t i = 0; i < count; ++i) {
    int32_t sum = 0;
    for (int64_t j = 0; j < stride; ++j) sum += codes.data()[list.data()[i] * stride + j] * query.data()[j];
    if (sum == out.data()[i]) continue;
    std::printf("scan of %lld of %lld rows: expected %d, found %d\n", static_cast<long long>(count),
                static_cast<long long>(rows), sum, out.data()[i]);
    std::exit(1);
  }
}

}  // namespace

int main() {
  Pool &pool = *new Pool(2);  // its threads wait for tasks until the process ends
  for (const Precision precision : {Precision::Bf16, Precision::Int8}) {
    for (const int64_t rows : {1, 5, 6, 7, 13, 14, 15, 16, 17, 31, 32, 33, 65}) {
      for (const int64_t in : {1, 2, 3, 31, 32, 33, 63, 64, 65, 130}) {
        for (const int64_t out : {1, 3, 15, 16, 31, 32, 33, 66}) check(precision, rows, in, out, out % 3 == 0 ? 3 : 1, rows % 2, pool);
      }
    }
    check(precision, 1281, 70, 40, 1, true, pool);
    check(precision, 321, 1300, 200, 2, true, pool);
    check(precision, 640, 96, 300, 1, false, pool);
  }
  for (const int64_t length : {1, 2, 15, 16, 17, 31, 32, 33, 65}) {
    for (const int64_t headWidth : {1, 2, 15, 31, 32, 33, 80}) checkAttention(2, 3, length, headWidth, pool);
  }
  for (const int64_t rows : {1, 2, 3, 4, 5, 17}) {
    for (const int64_t stride : {64, 128, 320}) {
      for (const int64_t count : {1, 2, 3, 4, 5, 7, 8, 9, 33}) checkScan(rows, stride, count);
    }
  }
  std::printf("%s\n", instructionSet().name);
  std::fflush(stdout);
  std::_Exit(0);
}
