// Gatehouse. SPDX-License-Identifier: MIT
