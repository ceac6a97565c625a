#!/bin/sh
# A test that passes. The cell is in its arguments and in its environment.
echo "hello over $1"
echo "RUN_MATRIX_CASE_ID=${RUN_MATRIX_CASE_ID-}"
echo "RUN_MATRIX_AXIS_TRANSPORT=${RUN_MATRIX_AXIS_TRANSPORT-}"
