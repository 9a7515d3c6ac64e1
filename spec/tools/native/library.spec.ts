import assert from "node:assert/strict";
import { isNeededHeader, libraryName } from "../../../tools/native/library.ts";

describe("libraryName", () => {
  it("is the SONAME", () => {
    assert.equal(libraryName("libtensorflow.so.2.9.1", "linux"), "libtensorflow.so.2");
    assert.equal(libraryName("libtensorflow_cc.so", "linux"), "libtensorflow_cc.so.2");
    assert.equal(libraryName("libtensorflow_framework.2.dylib", "darwin"), "libtensorflow_framework.2.dylib");
    assert.equal(libraryName("libtensorflow.2.9.1.dylib", "darwin"), "libtensorflow.2.dylib");
    for (const other of ["libtensorflow.a", "_pywrap_tensorflow_internal.so", "libtensorflow_cc.so.2.txt"]) {
      assert.equal(libraryName(other, "linux"), undefined, other);
    }
  });
});

describe("isNeededHeader", () => {
  it("accepts the C API and the string type, in the folders of every version", () => {
    assert.ok(isNeededHeader("tensorflow/c/eager/c_api.h"));
    assert.ok(isNeededHeader("tensorflow/core/platform/ctstring_internal.h"));
    assert.ok(isNeededHeader("xla/tsl/c/tsl_status.h"));
    assert.ok(!isNeededHeader("tensorflow/core/framework/tensor.h"));
    assert.ok(!isNeededHeader("tensorflow/c/c_api.cc"));
  });
});
