#!/bin/sh
# JUnit XML, as most test runners can write it.
cat <<'XML'
<testsuite name="till" tests="2">
  <testcase classname="till" name="adds" time="0.02"/>
  <testcase classname="till" name="gives change" time="0.01"/>
</testsuite>
XML
