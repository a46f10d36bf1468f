# SPDX-License-Identifier: Apache-2.0
# Part of 'lab': Active Directory.
ad_status() { echo "ad: none"; }
