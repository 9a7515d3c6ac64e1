// Threads that share out numbered tasks.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace clipscope {

class Pool {
 public:
  // One of the threads is the caller's own.
  explicit Pool(int threads);
  ~Pool();

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  // Runs task(0) … task(count − 1), each once, in any order, and returns when all are done.
  void run(int64_t count, const std::function<void(int64_t)> &task);

 private:
  void work();
  void takeTasks();

  std::vector<std::thread> workers_;
  std::mutex calls_;  // one run at a time
  std::mutex mutex_;
  std::condition_variable wake_, done_;
  const std::function<void(int64_t)> *task_ = nullptr;
  int64_t count_ = 0;
  std::atomic<int64_t> next_{0};
  std::atomic<int> busy_{0};
  std::atomic<uint64_t> round_{0};
  std::atomic<bool> stop_{false};
};

}  // namespace clipscope
