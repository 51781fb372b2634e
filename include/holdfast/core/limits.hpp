#pragma once

#include <cstddef>
#include <cstdint>

/// Every maximum of the library, with its unit. Exceeding one is a LimitError that names it.
namespace holdfast::limits {

/// Longest key of the memory backend and of LMDB (whose default page layout fixes it), after escaping. Bytes.
inline constexpr std::size_t max_key_bytes = 511;

/// Longest key of a table whose entries expire, after escaping. Bytes: the expiry index puts 16 before it.
inline constexpr std::size_t max_expiring_key_bytes = max_key_bytes - 16;

/// Longest value of the memory, file and LMDB backends. Bytes: 2^32 - 1 is LMDB's own bound.
inline constexpr std::uint64_t max_value_bytes = 0xFFFF'FFFF;

/// Longest encoded file name of the file backend, suffix included. Bytes: NAME_MAX of Linux file systems.
inline constexpr std::size_t max_file_name_bytes = 255;

/// Deepest nesting of JSON that is read or written. Levels of arrays and objects. Exceeding it is a CodecError.
inline constexpr std::size_t max_json_depth = 128;

/// Deepest nesting of a value in a state graph. Levels: with those around it, frames and checkpoints stay within
/// max_json_depth.
inline constexpr std::size_t max_graph_value_depth = 64;

/// Deepest nesting of subgraphs in a state graph. Levels.
inline constexpr std::size_t max_graph_mount_depth = 28;

/// Most tables in one store.
inline constexpr std::size_t max_tables = 1024;

/// Longest name of a table, a tier or a log. Bytes.
inline constexpr std::size_t max_name_bytes = 255;

/// Address space reserved for a store's map; the file itself grows as it is written. Bytes.
inline constexpr std::uint64_t map_reserve_bytes = std::uint64_t{1} << 40;

/// What a write transaction gathers in memory before it spills, and at most while a savepoint is open. Bytes.
inline constexpr std::uint64_t write_set_bytes = std::uint64_t{64} << 20;

/// What batches may hold in memory that wait to be committed by a database's thread. Bytes.
inline constexpr std::uint64_t async_bytes = std::uint64_t{64} << 20;

/// Readers of one store at a time, all processes together.
inline constexpr unsigned max_readers = 4096;

}  // namespace holdfast::limits
