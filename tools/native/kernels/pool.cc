#include "pool.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace clipscope {

namespace {

// A layer's kernels follow one another within microseconds; to sleep in between would cost more than it saves.
constexpr int spins = 4000;

void pause() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// As TensorFlow has it in the thread that calls: denormal numbers are zero. Else a result would depend on whose task it
// was.
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

Pool::Pool(int threads) {
  for (int i = 1; i < threads; ++i) workers_.emplace_back([this] { work(); });
}

Pool::~Pool() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
    ++round_;
  }
  wake_.notify_all();
  for (std::thread &worker : workers_) worker.join();
}

void Pool::run(int64_t count, const std::function<void(int64_t)> &task) {
  std::lock_guard<std::mutex> call(calls_);
  if (workers_.empty() || count < 2) {
    for (int64_t i = 0; i < count; ++i) task(i);
    return;
  }
  {
    std::lock_guard<std::mutex> lock(mutex_);
    task_ = &task;
    count_ = count;
    next_ = 0;
    busy_ = static_cast<int>(workers_.size());
    ++round_;
  }
  wake_.notify_all();
  takeTasks();
  for (int i = 0; i < spins && busy_ > 0; ++i) pause();
  std::unique_lock<std::mutex> lock(mutex_);
  done_.wait(lock, [this] { return busy_ == 0; });
}

void Pool::takeTasks() {
  for (int64_t i = next_++; i < count_; i = next_++) (*task_)(i);
}

void Pool::work() {
  flushDenormals();
  uint64_t seen = 0;
  for (;;) {
    for (int i = 0; i < spins && round_ == seen; ++i) pause();
    {
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, [&] { return round_ != seen; });
      seen = round_;
    }
    if (stop_) return;
    takeTasks();
    if (--busy_ == 0) {
      std::lock_guard<std::mutex> lock(mutex_);
      done_.notify_one();
    }
  }
}

}  // namespace clipscope
