# SPDX-License-Identifier: Apache-2.0
# Copyright the crlagent authors
"""The lab appliance: a Luna Network HSM as far as an upgrade driver can see one."""
