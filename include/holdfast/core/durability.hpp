#pragma once

namespace holdfast {

/// What a write has survived when its call returns. Every level survives a crash of the process; the store in memory,
/// which has no files, none.
enum class Durability {
  synced,    ///< power loss too: data and directory are on the device
  ordered,   ///< power loss leaves a consistent state, at most the last commit gone (files: as synced)
  unsynced,  ///< power loss: nothing promised until flush()
};

}  // namespace holdfast
