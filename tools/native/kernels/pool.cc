#include "pool.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace clipscope {

namespace {

// A layer's kernels follow each other within microseconds. Spinning between them is faster than sleeping.
constexpr int spins = 4000;

void pause() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Treats denormal numbers as zero, as TensorFlow does in the calling thread. Otherwise a result would depend on the
// thread that computed it.
void flushDenormals() {
#if defined(__x86_64__)
  _mm_setcsr(_mm_getcsr() | 0x8040);  // flush to zero, denormals are zero
#elif defined(__aarch64__)
  uint64_t control;
  asm volatile("mrs %0, fpcr" : "=r"(control));
  asm volatile("msr fpcr, %0" ::"r"(control | 1u << 24));
#endif
}

}  // namespace

Pool::Pool(int threads) : threads_(threads) {
  for (int i = 1; i < threads; ++i) std::thread([this] { work(); }).detach();
}

void Pool::run(int64_t count, const std::function<void(int64_t)> &task) {
  std::lock_guard<std::mutex> call(calls_);
  if (threads_ < 2 || count < 2) {
    for (int64_t i = 0; i < count; ++i) task(i);
    return;
  }
  {
    std::lock_guard<std::mutex> lock(mutex_);
    task_ = &task;
    count_ = count;
    next_ = 0;
    ++round_;
  }
  wake_.notify_all();
  takeTasks(task, count);
  {
    // Workers that have not started yet must not join: on a busy machine they may start much later.
    std::lock_guard<std::mutex> lock(mutex_);
    task_ = nullptr;
  }
  for (int i = 0; i < spins && active_ > 0; ++i) pause();
  std::unique_lock<std::mutex> lock(mutex_);
  done_.wait(lock, [this] { return active_ == 0; });
}

void Pool::takeTasks(const std::function<void(int64_t)> &task, int64_t count) {
  for (int64_t i = next_++; i < count; i = next_++) task(i);
}

void Pool::work() {
  flushDenormals();
  uint64_t seen = 0;
  for (;;) {
    for (int i = 0; i < spins && round_ == seen; ++i) pause();
    const std::function<void(int64_t)> *task;
    int64_t count;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, [&] { return round_ != seen; });
      seen = round_;
      if (!task_) continue;
      task = task_;
      count = count_;
      ++active_;
    }
    takeTasks(*task, count);
    std::lock_guard<std::mutex> lock(mutex_);
    if (--active_ == 0) done_.notify_one();
  }
}

}  // namespace clipscope
