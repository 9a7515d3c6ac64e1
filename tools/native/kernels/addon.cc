// The addon's one function: registerOperations() → the instruction set's name.
#include <node_api.h>

#include <string>

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

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "registerOperations", NAPI_AUTO_LENGTH, Register, nullptr, &function);
  napi_set_named_property(env, exports, "registerOperations", function);
  return exports;
}
