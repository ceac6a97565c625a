/* As a JVM and Go answer to SIGQUIT. */
#ifndef TESTS_RUNTIME_WORDS_H
#define TESTS_RUNTIME_WORDS_H

#define JVM_DUMP                                                            \
    "2026-11-22 05:11:11\n"                                                 \
    "Full thread dump OpenJDK 64-Bit Server VM (17.0.15+6 mixed mode):\n"   \
    "\n"                                                                    \
    "\"main\" #1 prio=5 os_prio=0 cpu=25.16ms nid=0x8ad in Object.wait()\n" \
    "\tat Hang.stuck_here(Hang.java:1)\n"                                   \
    "\n"                                                                    \
    "JNI global refs: 4, weak refs: 0\n"                                    \
    "\n"                                                                    \
    "Heap\n"                                                                \
    " garbage-first heap   total 397312K, used 4675K\n"                     \
    "\n"

#define GO_DUMP                                                                                              \
    "SIGQUIT: quit\nPC=0x45e6e1 m=0 sigcode=0\n\n"                                                           \
    "goroutine 1 [chan receive]:\nmain.stuckHere(...)\n\t/x/h.go:3\n\n"                                      \
    "rax    0xca\nrbx    0x0\nrcx    0x45e6e3\nrdx    0x0\nrdi    0x5474c8\nrsi    0x80\nr8     0x0\nr9    " \
    " 0x0\n"                                                                                                 \
    "rip    0x45e6e1\ngs     0x0\n"

#endif
