#pragma once

#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

namespace holdfast {

template <class Signature>
class FunctionRef;

/// A borrowed callable: two pointers, no allocation. It must not outlive the call it is passed to.
template <class Result, class... Args>
class FunctionRef<Result(Args...)> {
 public:
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, FunctionRef> && std::is_invocable_r_v<Result, F&, Args...>)
      FunctionRef(F&& callable)
  noexcept  // implicit on purpose: it is a parameter type
      : object_(address_of(callable)), call_([](void* object, Args... args) -> Result {
          return static_cast<Result>(
              std::invoke(*reinterpret_cast<std::remove_reference_t<F>*>(object), std::forward<Args>(args)...));
        }) {}

  Result operator()(Args... args) const { return call_(object_, std::forward<Args>(args)...); }

 private:
  /// Functions too: POSIX lets a void* hold their address.
  template <class Callable>
  static void* address_of(Callable& callable) noexcept {
    if constexpr (std::is_function_v<Callable>) {
      return reinterpret_cast<void*>(std::addressof(callable));
    } else {
      return const_cast<void*>(static_cast<const void*>(std::addressof(callable)));
    }
  }

  void* object_;
  Result (*call_)(void*, Args...);
};

}  // namespace holdfast
