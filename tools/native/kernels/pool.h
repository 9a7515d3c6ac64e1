// Threads that share out numbered tasks. They and their pool live as long as the process.
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
  // One of the threads is the caller's own.
  explicit Pool(int threads);

  int threads() const { return threads_; }

  // Runs task(0) … task(count − 1), each once, in any order, and returns when all are done.
  void run(int64_t count, const std::function<void(int64_t)> &task);

 private:
  void work();
  void takeTasks(const std::function<void(int64_t)> &task, int64_t count);

  const int threads_;
  std::mutex calls_;  // one run at a time
  std::mutex mutex_;
  std::condition_variable wake_, done_;
  const std::function<void(int64_t)> *task_ = nullptr;  // null while there is nothing to join
  int64_t count_ = 0;
  std::atomic<int64_t> next_{0};
  std::atomic<int> active_{0};  // workers that have joined
  std::atomic<uint64_t> round_{0};
};

}  // namespace clipscope
