#include "db/known_seals.hpp"

#include "core/printable.hpp"
#include "holdfast/core/error.hpp"
#include "holdfast/seal/checksum.hpp"

namespace holdfast::detail {

std::shared_ptr<const Seal> find_seal(const std::string& name, const Seals& others) {
  for (const auto& seal : others)
    if (seal->name() == name) return seal;
  static const auto checksum = std::make_shared<const ChecksumSeal>();
  return checksum->name() == name ? checksum : nullptr;
}

std::shared_ptr<const Seal> require_seal(const std::string& name, const Seals& others, const std::string& table) {
  auto seal = find_seal(name, others);
  if (!seal) throw UnsupportedError({.capability = "seal " + printable(name), .where = "table " + printable(table)});
  return seal;
}

}  // namespace holdfast::detail
