#include "db/reader_slots.hpp"

#include <lmdb.h>

#include <algorithm>
#include <utility>

namespace holdfast::detail {
namespace {

constexpr unsigned idle_part = 8;  // of all

/// Where this thread looks first: threads start side by side, and stay where they found a place.
std::size_t& first_choice() noexcept {
  static std::atomic<std::size_t> next{0};
  thread_local std::size_t choice = next.fetch_add(1, std::memory_order_relaxed);
  return choice;
}

}  // namespace

ReaderSlots::ReaderSlots(unsigned max_readers) noexcept {
  for (std::size_t i = max_readers / idle_part; i < slot_count; ++i) slots_[i].keeps = false;
}

ReaderSlots::~ReaderSlots() {
  for (ReaderSlot& slot : slots_)
    if (slot.txn != nullptr) mdb_txn_abort(slot.txn);
}

ReaderSlot* ReaderSlots::enter() {
  for (Passage passage = Passage::open;;) {
    // Also when there is no memory for a slot: who is waited for in vain would keep the map from growing for ever.
    const Arrival arrival(passage == Passage::admitted ? this : nullptr);
    ReaderSlot& slot = take_any();
    // Taken before the gate is looked at, as the gate is closed before the slots are: one of the two sees the other.
    if (passage == Passage::admitted || gate_.load() == Gate::open) return &slot;
    leave(slot);
    passage = wait_at_gate();
    if (passage == Passage::none) return nullptr;
  }
}

bool ReaderSlots::take(ReaderSlot& slot) noexcept {
  bool taken = slot.taken.load(std::memory_order_relaxed);
  return !taken && slot.taken.compare_exchange_strong(taken, true);
}

ReaderSlot& ReaderSlots::take_any() {
  std::size_t& choice = first_choice();
  for (std::size_t tried = 0; tried < slot_count; ++tried, ++choice) {
    ReaderSlot& slot = slots_[choice % slot_count];
    if (take(slot)) return slot;
  }
  auto extra = std::make_unique<ReaderSlot>();
  extra->taken = true;
  extra->pooled = false;
  const std::lock_guard lock(overflow_mutex_);
  ReaderSlot* const slot = extra.get();
  overflow_.emplace(slot, std::move(extra));
  return *slot;
}

void ReaderSlots::leave(ReaderSlot& slot) noexcept {
  if (slot.pooled) {
    if (slot.txn != nullptr && slot.keeps) mdb_txn_reset(slot.txn);
    if (slot.txn != nullptr && !slot.keeps) mdb_txn_abort(std::exchange(slot.txn, nullptr));
    slot.snapshot.store(0, std::memory_order_relaxed);
    slot.taken.store(false, std::memory_order_release);
    return;
  }
  if (slot.txn != nullptr) mdb_txn_abort(slot.txn);
  const std::lock_guard lock(overflow_mutex_);
  overflow_.erase(&slot);
}

bool ReaderSlots::end_idle() noexcept {
  bool any = false;
  for (ReaderSlot& slot : slots_) {
    if (!take(slot)) continue;
    any |= slot.txn != nullptr;
    if (slot.txn != nullptr) mdb_txn_abort(std::exchange(slot.txn, nullptr));
    slot.taken.store(false, std::memory_order_release);
  }
  return any;
}

std::vector<SeenReader> ReaderSlots::look(std::chrono::steady_clock::time_point now) {
  const std::int64_t now_ns = std::chrono::nanoseconds(now.time_since_epoch()).count();
  std::vector<SeenReader> seen;
  const auto look_at = [&](ReaderSlot& slot) {
    const std::uint64_t snapshot = slot.snapshot.load(std::memory_order_acquire);  // written after since_ns
    if (snapshot == 0) return;
    std::int64_t since_ns = 0;
    if (slot.since_ns.compare_exchange_strong(since_ns, now_ns)) since_ns = now_ns;
    seen.push_back({.slot = &slot, .snapshot = snapshot, .since_ns = since_ns});
  };
  for (ReaderSlot& slot : slots_) look_at(slot);
  const std::lock_guard lock(overflow_mutex_);
  for (const auto& [key, slot] : overflow_) look_at(*slot);
  return seen;
}

bool ReaderSlots::enter_writer() {
  for (Passage passage = Passage::open;;) {
    writing_.store(true);
    if (passage == Passage::admitted) arrived();
    if (passage == Passage::admitted || gate_.load() == Gate::open) return true;
    leave_writer();
    passage = wait_at_gate();
    if (passage == Passage::none) return false;
  }
}

bool ReaderSlots::empty() const {
  {
    const std::lock_guard lock(gate_mutex_);
    if (admitted_ > 0) return false;
  }
  if (writing_.load()) return false;
  for (const ReaderSlot& slot : slots_)
    if (slot.taken.load()) return false;
  const std::lock_guard lock(overflow_mutex_);
  return overflow_.empty();
}

void ReaderSlots::set_gate(Gate gate) noexcept {
  {
    const std::lock_guard lock(gate_mutex_);
    gate_.store(gate);
  }
  gate_changed_.notify_all();
}

void ReaderSlots::admit_waiting() noexcept {
  {
    const std::lock_guard lock(gate_mutex_);
    ++round_;
    admitted_ += std::exchange(waiting_, 0);
  }
  gate_changed_.notify_all();
}

ReaderSlots::Passage ReaderSlots::wait_at_gate() {
  std::unique_lock lock(gate_mutex_);
  const std::uint64_t round = round_;
  ++waiting_;
  gate_changed_.wait(lock, [&] { return round_ != round || gate_.load() != Gate::closed; });
  if (round_ != round) return Passage::admitted;
  --waiting_;
  // Open, if only for a moment: it may be closed again by now.
  return gate_.load() == Gate::shut ? Passage::none : Passage::open;
}

void ReaderSlots::arrived() noexcept {
  const std::lock_guard lock(gate_mutex_);
  --admitted_;
}

}  // namespace holdfast::detail
