#pragma once

/// All of holdfast in one include. Programs that care about compile time include what they use.

#include "holdfast/backend/backend.hpp"
#include "holdfast/backend/memory.hpp"
#include "holdfast/codec/codec.hpp"
#include "holdfast/codec/json.hpp"
#include "holdfast/codec/raw.hpp"
#include "holdfast/core/bytes.hpp"
#include "holdfast/core/clock.hpp"
#include "holdfast/core/durability.hpp"
#include "holdfast/core/entropy.hpp"
#include "holdfast/core/error.hpp"
#include "holdfast/core/export.hpp"
#include "holdfast/core/function_ref.hpp"
#include "holdfast/core/key_range.hpp"
#include "holdfast/core/limits.hpp"
#include "holdfast/core/sha256.hpp"
#include "holdfast/core/write_batch.hpp"
#include "holdfast/seal/seal.hpp"
#include "holdfast/version.hpp"
