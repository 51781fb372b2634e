#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

struct MDB_txn;

namespace holdfast::detail {

class TableIndex;

/// The place of one read transaction. Between readers it keeps LMDB's transaction, reset, for the next to renew.
struct alignas(64) ReaderSlot {
  std::atomic<bool> taken{false};
  std::atomic<std::uint64_t> snapshot{0};     ///< the taker's, once it has begun; else 0
  std::atomic<std::int64_t> since_ns{0};      ///< when that began, in monotonic time; 0 until somebody looks
  bool pooled = true;                         ///< one of the array; the others go with their reader
  bool keeps = true;                          ///< its transaction, when its reader leaves
  MDB_txn* txn = nullptr;                     ///< the taker's; while it is not taken, idle
  std::shared_ptr<const TableIndex> index{};  ///< of the tables, as the last taker who looked found them
};

/// A reader of ours, when somebody looked.
struct SeenReader {
  const ReaderSlot* slot = nullptr;
  std::uint64_t snapshot = 0;
  std::int64_t since_ns = 0;

  [[nodiscard]] std::chrono::nanoseconds age(std::chrono::steady_clock::time_point now) const {
    return now.time_since_epoch() - std::chrono::nanoseconds(since_ns);
  }
  friend bool operator==(const SeenReader&, const SeenReader&) = default;
};

/// Who is using the map: the readers of this process, and its writer. Each enters before it touches LMDB's
/// transactions; while the gate is closed nobody can enter, and once nobody is inside, the map can be replaced.
/// Entering writes only to the slot, which is the thread's own as long as there are slots enough.
/// Threads: all methods may be called at once; between close_gate() and open_gate() only one thread may be.
class ReaderSlots {
 public:
  /// Of the slots of LMDB's table, `max_readers` of all processes, idle transactions keep an eighth at most: others,
  /// who cannot take them away, would wait for readers that do not exist.
  explicit ReaderSlots(unsigned max_readers) noexcept;
  ~ReaderSlots();  ///< ends the idle transactions
  ReaderSlots(const ReaderSlots&) = delete;
  ReaderSlots& operator=(const ReaderSlots&) = delete;

  /// A slot for the caller, who then begins or renews its `txn`; nullptr once the gate is shut for ever.
  [[nodiscard]] ReaderSlot* enter();
  /// Resets what the slot's reader has begun.
  void leave(ReaderSlot& slot) noexcept;

  /// Gives LMDB back what the idle slots keep; whether there was any.
  bool end_idle() noexcept;

  /// Those of us who read now.
  [[nodiscard]] std::vector<SeenReader> look(std::chrono::steady_clock::time_point now);

  /// The same for the one writer; false once the gate is shut for ever.
  [[nodiscard]] bool enter_writer();
  void leave_writer() noexcept { writing_.store(false, std::memory_order_release); }

  void close_gate() noexcept { gate_.store(Gate::closed); }
  /// Lets those in who wait at the closed gate, each once.
  void admit_waiting() noexcept;
  void open_gate() noexcept { set_gate(Gate::open); }
  /// The map is gone: whoever waits is told.
  void shut_gate() noexcept { set_gate(Gate::shut); }
  /// While the gate is closed: whether nobody is inside.
  [[nodiscard]] bool empty() const;

 private:
  enum class Gate { open, closed, shut };
  enum class Passage { none, open, admitted };
  static constexpr std::size_t slot_count = 128;
  struct Arrive {
    void operator()(ReaderSlots* slots) const noexcept { slots->arrived(); }
  };
  using Arrival = std::unique_ptr<ReaderSlots, Arrive>;

  static bool take(ReaderSlot& slot) noexcept;
  [[nodiscard]] ReaderSlot& take_any();
  void set_gate(Gate gate) noexcept;
  /// Waits while it is closed.
  [[nodiscard]] Passage wait_at_gate();
  /// Says that one who was admitted can now be seen inside.
  void arrived() noexcept;

  std::array<ReaderSlot, slot_count> slots_{};
  alignas(64) std::atomic<Gate> gate_{Gate::open};
  alignas(64) std::atomic<bool> writing_{false};  ///< apart from what readers look at
  mutable std::mutex gate_mutex_;
  std::condition_variable gate_changed_;
  std::uint64_t round_ = 0;   ///< of admissions
  std::size_t waiting_ = 0;   ///< at the gate, in this round
  std::size_t admitted_ = 0;  ///< and not yet inside
  mutable std::mutex overflow_mutex_;
  std::unordered_map<const ReaderSlot*, std::unique_ptr<ReaderSlot>> overflow_;
};

}  // namespace holdfast::detail
