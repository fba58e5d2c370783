#include "serve/embedder_host.h"

#include <algorithm>

namespace atelier::serve {

std::shared_ptr<EmbeddingQueue> EmbedderHost::Get(const artefact::ModelEntry& entry) {
  const std::string& sha256 = entry.manifest.sha256;
  std::shared_ptr<EmbeddingQueue> old;  // ends its work after the lock is gone
  std::unique_lock lock(mutex_);
  while (true) {
    const auto at = slots_.find(entry.name);
    if (at == slots_.end()) break;
    if (at->second.queue != nullptr && at->second.sha256 == sha256) return at->second.queue;
    if (at->second.queue != nullptr) {  // other weights since then
      old = std::move(at->second.queue);
      slots_.erase(at);
      break;
    }
    loaded_.wait(lock);
  }
  slots_[entry.name] = {sha256, nullptr};
  lock.unlock();
  std::shared_ptr<EmbeddingQueue> queue;
  std::exception_ptr error;
  try {
    queue = std::make_shared<EmbeddingQueue>(load_(entry), most_waiting_);
  } catch (...) {
    error = std::current_exception();
  }
  lock.lock();
  const auto at = slots_.find(entry.name);
  if (at != slots_.end() && at->second.queue == nullptr) {
    if (error) {
      slots_.erase(at);
    } else {
      at->second.queue = queue;
    }
  }
  loaded_.notify_all();
  if (error) std::rethrow_exception(error);
  return queue;
}

void EmbedderHost::Keep(const std::vector<artefact::ModelEntry>& registered) {
  std::vector<std::shared_ptr<EmbeddingQueue>> dropped;  // ends its work after the lock is gone
  const std::lock_guard lock(mutex_);
  for (auto at = slots_.begin(); at != slots_.end();) {
    const bool kept = std::any_of(registered.begin(), registered.end(), [&](const artefact::ModelEntry& entry) {
      return entry.name == at->first && entry.manifest.sha256 == at->second.sha256;
    });
    if (kept || at->second.queue == nullptr) {
      ++at;
      continue;
    }
    dropped.push_back(std::move(at->second.queue));
    at = slots_.erase(at);
  }
}

std::map<std::string, std::shared_ptr<EmbeddingQueue>> EmbedderHost::Loaded() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, std::shared_ptr<EmbeddingQueue>> loaded;
  for (const auto& [name, slot] : slots_) {
    if (slot.queue != nullptr) loaded.emplace(name, slot.queue);
  }
  return loaded;
}

}  // namespace atelier::serve
