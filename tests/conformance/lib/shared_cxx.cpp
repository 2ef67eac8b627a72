// See static_cxx.cpp.
#include "static_cxx.cpp"
