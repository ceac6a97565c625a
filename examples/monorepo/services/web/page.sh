#!/bin/sh
# Found from the folder of its own file, wherever the run was started.
echo "a page from $(basename "$PWD")"
