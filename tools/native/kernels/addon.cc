// The addon's functions: registerOperations() returns the name of the instruction set; readAhead(file, offset, size).
#include <node_api.h>

#include <string>

#include "read.h"

namespace clipscope {
const char *registerOperations(std::string *message);
}

static napi_value Register(napi_env env, napi_callback_info) {
  std::string message;
  const char *instructions = clipscope::registerOperations(&message);
  if (!instructions) {
    napi_throw_error(env, nullptr, message.c_str());
    return nullptr;
  }
  napi_value name;
  napi_create_string_utf8(env, instructions, NAPI_AUTO_LENGTH, &name);
  return name;
}

static napi_value ReadAhead(napi_env env, napi_callback_info info) {
  napi_value given[3];
  size_t count = 3;
  int64_t numbers[3] = {};
  napi_get_cb_info(env, info, &count, given, nullptr, nullptr);
  for (size_t i = 0; i < count && i < 3; ++i) napi_get_value_int64(env, given[i], &numbers[i]);
  clipscope::readAhead(static_cast<int>(numbers[0]), numbers[1], numbers[2]);
  return nullptr;
}

static void Offer(napi_env env, napi_value exports, const char *name, napi_callback callback) {
  napi_value function;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
  napi_set_named_property(env, exports, name, function);
}

NAPI_MODULE_INIT() {
  Offer(env, exports, "registerOperations", Register);
  Offer(env, exports, "readAhead", ReadAhead);
  return exports;
}
