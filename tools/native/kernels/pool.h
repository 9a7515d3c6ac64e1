// A pool of threads for numbered tasks. It lives as long as the process.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

namespace clipscope {

class Pool {
 public:
  // The count includes the calling thread.
  explicit Pool(int threads);

  int threads() const { return threads_; }

  // Runs task(0) to task(count − 1) once each, in any order, and returns when all have finished.
  void run(int64_t count, const std::function<void(int64_t)> &task);

 private:
  void work();
  void takeTasks(const std::function<void(int64_t)> &task, int64_t count);

  const int threads_;
  std::mutex calls_;  // one call of run() at a time
  std::mutex mutex_;
  std::condition_variable wake_, done_;
  const std::function<void(int64_t)> *task_ = nullptr;  // null while the pool is idle
  int64_t count_ = 0;
  std::atomic<int64_t> next_{0};
  std::atomic<int> active_{0};  // workers that run tasks
  std::atomic<uint64_t> round_{0};
};

}  // namespace clipscope
