# The micro kernels: a program made of the emitting files writes one object per CPU variant; the objects and their bytes
# become part of nnc_codegen.
set(codegen ${CMAKE_CURRENT_SOURCE_DIR}/codegen)
file(GLOB micro_emitters CONFIGURE_DEPENDS ${codegen}/vector*.c ${codegen}/math*.c ${codegen}/micro*.c ${codegen}/pack*.c)
add_executable(microgen ${codegen}/microgen/main.c ${micro_emitters})
target_include_directories(microgen SYSTEM PRIVATE ${LLVM_INCLUDE})
target_include_directories(microgen PRIVATE ${CMAKE_CURRENT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/runtime
                                            ${PROJECT_SOURCE_DIR}/runtime/include)
target_link_libraries(microgen PRIVATE ${LLVM_LIBRARY} m)

set(micro_folder ${CMAKE_CURRENT_BINARY_DIR}/micro)
file(MAKE_DIRECTORY ${micro_folder})
set(micro_objects ${micro_folder}/nn_micro_x86_64_v2.o ${micro_folder}/nn_micro_x86_64_v3.o
                  ${micro_folder}/nn_micro_x86_64_v4.o)
add_custom_command(OUTPUT ${micro_folder}/micro_objects.c ${micro_objects} DEPENDS microgen VERBATIM
                   COMMAND microgen ${micro_folder})
set_source_files_properties(${micro_objects} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
target_sources(nnc_codegen PRIVATE ${micro_folder}/micro_objects.c ${micro_objects})
