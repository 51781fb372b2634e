#include "holdfast/core/sha256.hpp"

#include <openssl/evp.h>

#include <new>
#include <stdexcept>

#include "core/sha256_pieces.hpp"

namespace holdfast {
namespace {

/// Fetched once per process: a fetch takes locks and is slower than hashing a small value.
/// Never freed: static destructors of the application may still hash.
const EVP_MD* algorithm() {
  static EVP_MD* const fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  if (fetched == nullptr) throw std::runtime_error("holdfast: OpenSSL offers no SHA256 (is a provider loaded?)");
  return fetched;
}

/// OpenSSL's digest calls fail only on lack of memory.
void require(int result) {
  if (result != 1) throw std::bad_alloc();
}

}  // namespace

struct Sha256::Context {
  Context() : md(EVP_MD_CTX_new()) {
    if (md == nullptr) throw std::bad_alloc();
  }
  ~Context() { EVP_MD_CTX_free(md); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  void start() { require(EVP_DigestInit_ex2(md, algorithm(), nullptr)); }

  EVP_MD_CTX* md;
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  context_->start();
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

Sha256& Sha256::update(ByteView bytes) {
  require(EVP_DigestUpdate(context_->md, bytes.data(), bytes.size()));
  return *this;
}

Digest Sha256::finish() {
  Digest digest;
  require(EVP_DigestFinal_ex(context_->md, reinterpret_cast<unsigned char*>(digest.data()), nullptr));
  context_->start();
  return digest;
}

Digest sha256_of(std::initializer_list<ByteView> pieces) {
  const auto digest_with = [&](Sha256& hash) {
    for (const ByteView piece : pieces) hash.update(piece);
    return hash.finish();
  };
  // Kept per thread, and gone before static objects are destroyed, which may still hash.
  thread_local bool gone = false;
  struct Kept {
    Kept() = default;
    ~Kept() { gone = true; }
    Kept(const Kept&) = delete;
    Kept& operator=(const Kept&) = delete;
    Sha256 hash;
  };
  if (!gone) {
    thread_local Kept kept;
    return digest_with(kept.hash);
  }
  Sha256 hash;
  return digest_with(hash);
}

Digest sha256(ByteView bytes) {
  return sha256_of({bytes});
}

}  // namespace holdfast
