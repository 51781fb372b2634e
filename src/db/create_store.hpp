#pragma once

#include <filesystem>

#include "holdfast/seal/seal.hpp"

namespace holdfast::detail {

/// Makes a whole data file of an empty store at `path`, which must be a name that nobody else uses. Errors: IoError.
void create_data_file(const std::filesystem::path& path, const StoreId& id);

}  // namespace holdfast::detail
