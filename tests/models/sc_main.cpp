// SPDX-License-Identifier: Apache-2.0
// libsystemc's own main() calls this; it only has to exist (tests/test_main.cpp).
extern "C" int sc_main(int, char*[]) { return 0; }
