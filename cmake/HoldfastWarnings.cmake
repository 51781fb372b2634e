# holdfast's own warnings, on holdfast's own targets only; consumers inherit none.
function(holdfast_warnings target)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wnon-virtual-dtor -Wold-style-cast
    -Wcast-qual -Woverloaded-virtual -Wdouble-promotion -Wformat=2
    # g++ 12 finds null pointers inside its own iostreams; clang's warning needs no optimiser.
    $<$<CXX_COMPILER_ID:Clang>:-Wnull-dereference>
    # g++ 12's optimiser warns of overlaps and bounds inside its own std::string and std::vector::insert (GCC bugs
    # 105651, 105329); clang and the address sanitizer look for the real ones.
    $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread>)
  if(HOLDFAST_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()
